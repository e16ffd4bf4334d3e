using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNetLinearize.Transforms;

/// <summary>One appended column.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Output">The graph output it shows.</param>
/// <param name="Shape">Shape of a value.</param>
/// <param name="Option">The option that names it, for errors.</param>
/// <param name="Slots">Names of its slots, or null.</param>
internal sealed record ExplanationColumn(string Name, string Output, IReadOnlyList<int> Shape, string Option, SlotNames? Slots)
{
    // ML.NET's ONNX stage cuts this suffix from the names of its columns.
    private const string CutSuffix = ".output";

    public VectorDataViewType Type { get; } = new(Output == OutputNames.ExplainedTarget ? NumberDataViewType.Int64 : NumberDataViewType.Single, Shape.ToArray());

    /// <summary>Number of largest contributions to keep per target, where this is an attribution and the user asked so.</summary>
    public int? Top { get; private init; }

    /// <summary>The original columns that an attribution is summed over, where it is.</summary>
    public ColumnGroups? Groups { get; private init; }

    /// <summary>Number of its slots that belong to one target.</summary>
    public int PerTarget { get; private init; }

    public DataViewSchema.Annotations? Annotations()
    {
        if (Slots is null) return null;
        var builder = new DataViewSchema.Annotations.Builder();
        builder.Add<VBuffer<ReadOnlyMemory<char>>>(SlotNames.Annotation, new VectorDataViewType(TextDataViewType.Instance, Type.Size), Slots.Get);
        return builder.ToAnnotations();
    }

    /// <summary>The columns that the options ask for. <paramref name="sources"/> are the input columns by ONNX input.</summary>
    public static IReadOnlyList<ExplanationColumn> Of(LinearizationGraph graph, IReadOnlyDictionary<string, DataViewSchema.Column> sources) =>
        Of(graph, input => ColumnFeatures.Are(graph, input, i => sources[i.Name].HasSlotNames()), input => ColumnFeatures.Of(graph, input, sources), input => Grouping(graph, sources, input));

    /// <summary>The columns, where it is known only which input columns have slot names. Sizes that depend on the names are not right then.</summary>
    public static IReadOnlyList<ExplanationColumn> Of(LinearizationGraph graph, Func<GraphInput, bool> hasSlotNames) => Of(graph, hasSlotNames, _ => [], _ => new ColumnGroups([""], [0]));

    private static IReadOnlyList<ExplanationColumn> Of(LinearizationGraph graph, Func<GraphInput, bool> hasSlotNames, Func<GraphInput, IReadOnlyList<string>> slotNames, Func<GraphInput, ColumnGroups> grouping)
    {
        var o = graph.Options;
        Check(o, graph.OutputCount);
        var k = graph.TargetCount;
        var explained = graph.ExplainedInputs.ToList();
        var columns = new List<ExplanationColumn>();
        void PerInput(string? name, string option, Func<GraphInput, string> output, int? top)
        {
            if (name is null) return;
            foreach (var input in explained)
            {
                int[] shape = input.RowShape.Count == 0 ? [1] : [.. input.RowShape];
                var slots = SlotNames.For(graph, input, hasSlotNames(input) ? () => slotNames(input) : null);
                columns.Add(new(explained.Count == 1 ? name : $"{name}.{input.Name}", output(input), k == 1 ? shape : [k, .. shape], option, slots) { Top = top, PerTarget = input.RowLength });
            }
        }
        void Grouped(string? name)
        {
            if (name is null) return;
            foreach (var input in explained)
            {
                if (ColumnFeatures.Columns(graph, input).Count == 0)
                    throw new ArgumentException($"LinearizeOptions.{nameof(o.GroupedAttributionColumn)} sums over the columns of the model's input, but the score is explained by the inner tensor '{Printable.Text(input.Name)}'. Set it to null, or explain by the model's inputs.");
                var groups = grouping(input);
                int[] shape = k == 1 ? [groups.Names.Count] : [k, groups.Names.Count];
                columns.Add(new(explained.Count == 1 ? name : $"{name}.{input.Name}", graph.AttributionOf(input), shape, nameof(o.GroupedAttributionColumn), SlotNames.Of(graph, groups.Names)) { Groups = groups, PerTarget = input.RowLength });
            }
        }
        void PerTarget(string? name, string option, string output)
        {
            if (name is not null) columns.Add(new(name, output, [k], option, null));
        }
        PerInput(o.AttributionColumn, nameof(o.AttributionColumn), graph.AttributionOf, o.TopFeatures);
        PerTarget(o.BiasColumn, nameof(o.BiasColumn), OutputNames.Bias);
        PerInput(o.WeightsColumn, nameof(o.WeightsColumn), graph.WeightsOf, null);
        PerTarget(o.ExplainedTargetColumn, nameof(o.ExplainedTargetColumn), OutputNames.ExplainedTarget);
        PerTarget(o.ExplainedScoreColumn, nameof(o.ExplainedScoreColumn), OutputNames.ExplainedScore);
        PerTarget(o.LinearizationErrorColumn, nameof(o.LinearizationErrorColumn), OutputNames.LinearizationError);
        Grouped(o.GroupedAttributionColumn);
        if (columns.Count == 0)
            throw new ArgumentException("Every column name in LinearizeOptions is null, so there is no column to append. Leave at least one.");
        return columns;
    }

    /// <summary>Refuses names that the input has, that occur twice, or that would change on saving.</summary>
    public static void CheckNames(IReadOnlyList<ExplanationColumn> columns, Func<string, bool> isTaken)
    {
        foreach (var column in columns)
        {
            if (string.IsNullOrWhiteSpace(column.Name))
                throw new ArgumentException($"LinearizeOptions.{column.Option} is empty. Give the column a name, or null to leave it out.");
            if (isTaken(column.Name))
                throw new ArgumentException($"The input already has a column '{column.Name}', and the explanation's column of that name would hide it. Set LinearizeOptions.{column.Option} to another name, or to null to leave the column out.");
            if (columns.FirstOrDefault(c => c != column && c.Name == column.Name) is { } twin)
                throw new ArgumentException($"LinearizeOptions.{column.Option} and {twin.Option} both make a column '{column.Name}'. Give them different names.");
            if (column.Name.EndsWith(CutSuffix, StringComparison.Ordinal))
                throw new ArgumentException($"Column '{column.Name}' would lose its ending '{CutSuffix}' when the model is saved and loaded, because ML.NET's ONNX stage cuts it. Set LinearizeOptions.{column.Option} to a name with another ending, or to null, or explain one input only.");
        }
    }

    private static void Check(LinearizeOptions options, int outputs)
    {
        if (options.TopFeatures is < 1)
            throw new ArgumentException($"LinearizeOptions.{nameof(options.TopFeatures)} is {options.TopFeatures}; it must be 1 or more, or null for all.");
        if (options.ClassNames is { } names && names.Count != outputs)
            throw new ArgumentException($"LinearizeOptions.{nameof(options.ClassNames)} has {names.Count} names, but the network has {outputs} outputs. Give one name for each output, in order.");
    }

    private static ColumnGroups Grouping(LinearizationGraph graph, IReadOnlyDictionary<string, DataViewSchema.Column> sources, GraphInput input) => ColumnGroups.Of(
        input,
        sources[ColumnFeatures.Columns(graph, input)[0].Name].Name,
        ColumnFeatures.Are(graph, input, i => sources[i.Name].HasSlotNames()) ? ColumnFeatures.Of(graph, input, sources) : null);
}
