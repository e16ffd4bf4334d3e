using Microsoft.ML;

namespace MLNetLinearize.Transforms;

/// <summary>A graph bound to a schema as its source: which columns feed it. What can be wrong with them is found here, before a row is read.</summary>
internal class InputBinding
{
    public InputBinding(LinearizationGraph graph, DataViewSchema schema)
    {
        Graph = ClassNames.Resolve(graph, schema);
        InputSchema = schema;
        Inputs = InputColumn.Bind(Graph, schema);
        Label = Graph.Options.Targets.Column is { } name ? LabelColumn.Bind(Graph, schema, name, LabelColumn.OfTargets) : null;
    }

    public LinearizationGraph Graph { get; }

    public DataViewSchema InputSchema { get; }

    /// <summary>The columns of the model's inputs.</summary>
    public IReadOnlyList<InputColumn> Inputs { get; }

    /// <summary>The column of <see cref="Targets.FromColumn"/>, or null.</summary>
    public LabelColumn? Label { get; }

    /// <summary>The columns that are read.</summary>
    public IEnumerable<DataViewSchema.Column> Columns => Inputs.Select(i => i.Column).Concat(Label is null ? [] : [Label.Column]).DistinctBy(c => c.Index);

    /// <summary>One name for each element of the explained inputs: the columns' slot names, else positions; with several inputs behind <c>input.</c></summary>
    public IReadOnlyList<string> FeatureNames() => [.. Graph.ExplainedInputs.SelectMany(FeatureNames)];

    private IEnumerable<string> FeatureNames(GraphInput input)
    {
        var names = ColumnFeatures.Columns(Graph, input).Count == 0
            ? SlotNames.Features(input, null)
            : ColumnFeatures.Of(Graph, input, Inputs.ToDictionary(i => i.Input.Name, i => i.Column));
        return Graph.ExplainedInputs.Count == 1 ? names : names.Select(n => $"{input.Name}.{n}");
    }
}
