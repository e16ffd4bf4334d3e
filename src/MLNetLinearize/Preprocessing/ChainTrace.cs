using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace MLNetLinearize.Preprocessing;

/// <summary>
/// The way back from a column through the fitted stages, asked of each stage's own mapper: which columns it reads to make
/// that one. It ends at the columns of the first schema, and at pixels that come from an image.
/// </summary>
internal sealed class ChainTrace
{
    private readonly IReadOnlyList<ITransformer> stages;
    private readonly List<DataViewSchema> schemas;

    public ChainTrace(FittedPreprocessing preprocessing)
    {
        if (preprocessing.Transformer is null || preprocessing.InputSchema is null)
            throw new ArgumentException($"LinearizeOptions.{nameof(LinearizeOptions.Preprocessing)} needs both the fitted transformer and the schema of the data that goes into it.");
        stages = [.. Flat(preprocessing.Transformer)];
        schemas = [preprocessing.InputSchema];
        foreach (var stage in stages) schemas.Add(stage.GetOutputSchema(schemas[^1]));
    }

    /// <summary>A column behind so many stages.</summary>
    public readonly record struct Place(int Level, int Index);

    /// <summary>Where the ways end, in the order of the schema.</summary>
    public SortedSet<Place> Ends { get; } = new(Comparer<Place>.Create((a, b) => (a.Level, a.Index).CompareTo((b.Level, b.Index))));

    /// <summary>The stages on the ways, by what they make. Stages that only let a column pass are left out.</summary>
    public Dictionary<Place, Stage> Makers { get; } = [];

    public DataViewSchema.Column Column(Place place) => schemas[place.Level][place.Index];

    /// <summary>The last column of this name, where the model reads it.</summary>
    public Place Find(string name) => schemas[^1].GetColumnOrNull(name) is { } column
        ? Settle(new(stages.Count, column.Index))
        : throw new ArgumentException($"LinearizeOptions.{nameof(LinearizeOptions.Preprocessing)} makes no column '{name}', which feeds the model. It gives [{string.Join("; ", schemas[^1].Where(c => !c.IsHidden).Select(c => c.Name))}]. Name the right one in LinearizeOptions.{nameof(LinearizeOptions.InputColumn)} or {nameof(LinearizeOptions.InputColumns)}.");

    /// <summary>Follows a column back to its ends.</summary>
    public void Follow(Place place)
    {
        if (place.Level == 0 || Makers.TryGetValue(place, out var maker) && maker.Inputs[0].Type is ImageDataViewType)
        {
            Ends.Add(place);
            return;
        }
        if (maker is null)
        {
            Makers[place] = maker = Maker(place);
            if (maker.Inputs is [{ Type: ImageDataViewType }])
            {
                Ends.Add(place);
                return;
            }
            if (maker.Inputs.FirstOrDefault(c => !Numbers.Are(c.Type)) is { Name: not null } other) throw maker.NotAffine($"it reads '{other.Name}' of type {other.Type}, which has no fixed number of numbers");
            if (!Numbers.Are(maker.Output.Type)) throw maker.NotAffine($"it makes {maker.Output.Type}, which has no fixed number of numbers");
        }
        foreach (var input in Inputs(place)) Follow(input);
    }

    /// <summary>Where the columns that a stage reads come from.</summary>
    public IEnumerable<Place> Inputs(Place place) => Makers[place].Inputs.Select(c => Settle(new(place.Level - 1, c.Index)));

    /// <summary>Whether a later stage makes a column of the same name, so that the data behind the stages shows another one.</summary>
    public bool IsOverwritten(Place place) => schemas[^1].GetColumnOrNull(Column(place).Name) is { } last && Settle(new(stages.Count, last.Index)) != place;

    /// <summary>The same column where it was made: a stage appends its columns and lets the others pass at their places.</summary>
    private Place Settle(Place place)
    {
        while (place.Level > 0 && place.Index < schemas[place.Level - 1].Count && IsSame(place)) place = place with { Level = place.Level - 1 };
        return place;
    }

    private bool IsSame(Place place)
    {
        var (before, after) = (schemas[place.Level - 1][place.Index], Column(place));
        return before.Name == after.Name && before.Type.Equals(after.Type)
            && Dependencies(place) is [var only] && only.Index == place.Index;
    }

    private List<DataViewSchema.Column> Dependencies(Place place)
    {
        var (stage, schema) = (stages[place.Level - 1], schemas[place.Level - 1]);
        if (!stage.IsRowToRowMapper)
            throw new Stage(stage, place.Level, schema, [], Column(place)).NotAffine("it does not map single rows");
        var mapper = stage.GetRowToRowMapper(schema);
        return [.. mapper.GetDependencies([mapper.OutputSchema[place.Index]])];
    }

    private Stage Maker(Place place)
    {
        var stage = new Stage(stages[place.Level - 1], place.Level, schemas[place.Level - 1], Dependencies(place), Column(place));
        return stage.Inputs.Count > 0 ? stage : throw stage.NotAffine("it reads no column");
    }

    private static IEnumerable<ITransformer> Flat(ITransformer transformer) => transformer is IEnumerable<ITransformer> chain ? chain.SelectMany(Flat) : [transformer];
}
