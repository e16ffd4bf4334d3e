using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNetLinearize.Transforms;

/// <summary>A column that feeds an input of the model.</summary>
internal sealed record InputColumn(GraphInput Input, DataViewSchema.Column Column)
{
    public bool IsVector => Column.Type is VectorDataViewType;

    public static IReadOnlyList<InputColumn> Bind(LinearizationGraph graph, DataViewSchema schema) => [.. Names(graph).Select(pair =>
    {
        var column = schema.GetColumnOrNull(pair.Column) ?? throw Missing(pair.Input, pair.Column, schema.Select(c => $"{c.Name}: {c.Type}"));
        Check(pair.Input, column);
        if (pair.Input.Raw is { IsOverwritten: true } && schema.Any(c => c.Name == pair.Column && c.IsHidden))
            throw new ArgumentException($"Column '{pair.Column}' goes into LinearizeOptions.{nameof(LinearizeOptions.Preprocessing)}, which hides it behind another column of its name, so this data no longer shows it. Give the stage's output another name, or apply Linearize to the data in front of the preprocessing.");
        return new InputColumn(pair.Input, column);
    })];

    /// <summary>The model's inputs and the names of their columns. The label is no input of the model.</summary>
    public static IEnumerable<(GraphInput Input, string Column)> Names(LinearizationGraph graph)
    {
        var inputs = graph.Inputs.Where(i => i.Name != OutputNames.Label).ToList();
        var (one, many) = (graph.Options.InputColumn, graph.Options.InputColumns);
        if (one is not null && many is not null)
            throw new ArgumentException($"LinearizeOptions.{nameof(LinearizeOptions.InputColumn)} and {nameof(LinearizeOptions.InputColumns)} are both set. Set one of them.");
        if (one is not null && inputs.Count > 1)
            throw new ArgumentException($"LinearizeOptions.{nameof(LinearizeOptions.InputColumn)} is '{one}', but the model has {inputs.Count} inputs: {Quoted(inputs.Select(i => i.Name))}. Set {nameof(LinearizeOptions.InputColumns)} instead.");
        if (one?.Length == 0 || many?.Values.Any(string.IsNullOrEmpty) == true)
            throw new ArgumentException($"LinearizeOptions.{(one is not null ? nameof(LinearizeOptions.InputColumn) : nameof(LinearizeOptions.InputColumns))} has an empty column name.");
        if (many?.Keys.FirstOrDefault(k => inputs.All(i => i.Name != k)) is { } unknown)
            throw new ArgumentException($"LinearizeOptions.{nameof(LinearizeOptions.InputColumns)} names the input '{unknown}', which the model lacks, or the explained output does not depend on. Its inputs: {Quoted(inputs.Select(i => i.Name))}.");
        return inputs.Select(i => (i, one ?? many?.GetValueOrDefault(i.Name) ?? i.Name));
    }

    public static ArgumentException Missing(GraphInput input, string column, IEnumerable<string> available) => new(
        $"Column '{column}' is missing. It feeds the model's input '{input.Name}' and must be {Expected(input)}. The columns are {Short(available)}. " +
        $"Name the right one in LinearizeOptions.{nameof(LinearizeOptions.InputColumn)} or {nameof(LinearizeOptions.InputColumns)}.");

    public static ArgumentException Mismatch(GraphInput input, string column, string actual, string remedy) =>
        new($"Column '{column}' feeds the model's input '{input.Name}' and must be {Expected(input)}, but it is {actual}. {remedy}");

    /// <summary>What to do about a column of another item type.</summary>
    public static string ConvertRemedy(GraphInput input, string column) => input.ElementType == typeof(string)
        ? "Convert it before with mlContext.Transforms.Conversion.ConvertType or MapKeyToValue."
        : $"Convert it before with mlContext.Transforms.Conversion.ConvertType(\"{column}\", outputKind: DataKind.{input.ElementType.Name}).";

    public static Type RawType(GraphInput input) => input.ElementType == typeof(string) ? typeof(ReadOnlyMemory<char>) : input.ElementType;

    public static string Quoted(IEnumerable<string> names) => string.Join(", ", names.Select(n => $"'{Printable.Text(n)}'"));

    /// <summary>A list for a message, cut where it would hide the message.</summary>
    public static string Short(IEnumerable<string> items)
    {
        var all = items.ToList();
        return all.Count == 0 ? "none" : $"[{string.Join("; ", all.Take(20))}{(all.Count > 20 ? $"; and {all.Count - 20} more" : "")}]";
    }

    private static void Check(GraphInput input, DataViewSchema.Column column)
    {
        var item = column.Type is VectorDataViewType vector ? vector.ItemType : column.Type;
        if (item is KeyDataViewType || item.RawType != RawType(input)) throw Mismatch(input, column.Name, column.Type.ToString()!, ConvertRemedy(input, column.Name));
        if (column.Type is VectorDataViewType { IsKnownSize: false })
            throw Mismatch(input, column.Name, $"{column.Type}, a vector whose size may differ by row", "Give it a fixed size, in the class with [VectorType(n)] or in the loader.");
        var size = column.Type is VectorDataViewType { Size: var slots } ? slots : 1;
        if (size != input.RowLength)
            throw Mismatch(input, column.Name, $"{column.Type} with {size} value{(size == 1 ? "" : "s")}", "Check that this is the column the network was trained on, prepared in the same way (image size, concatenated features).");
    }

    private static string Expected(GraphInput input) => input.RowLength == 1
        ? $"one {input.ElementType.Name} or a vector of one"
        : $"a vector of {input.RowLength} {input.ElementType.Name} (shape [{string.Join(", ", input.RowShape)}])";
}
