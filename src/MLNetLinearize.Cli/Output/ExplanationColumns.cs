using MLNetLinearize.Cli.Commands;
using MLNetLinearize.Cli.Data;

namespace MLNetLinearize.Cli.Output;

/// <summary>What a column holds of a row, or of each of its targets.</summary>
internal enum ColumnKind
{
    /// <summary>The row's number.</summary>
    Row,

    /// <summary>One of the network's outputs, a class.</summary>
    Output,

    /// <summary>One float.</summary>
    Value,

    /// <summary>One float for each feature.</summary>
    Vector,
}

/// <summary>One column of an explanation.</summary>
/// <param name="Name">Its name, that of the library's column.</param>
/// <param name="Kind">What it holds.</param>
/// <param name="PerTarget">Whether it holds that once for each of the K targets.</param>
internal sealed record Column(string Name, ColumnKind Kind, bool PerTarget)
{
    /// <summary>Reads a row number or an output, at row i and target k; null where a row has none.</summary>
    public Func<ExplainedBlock, int, int, long?> Whole { get; init; } = static (_, _, _) => null;
}

/// <summary>The columns of an explanation in their order. Every format writes these, each in its own way.</summary>
internal sealed class ExplanationColumns
{
    private readonly ClassNames classes;

    /// <param name="chosen">The columns that are asked for; those that the network or the data cannot fill are left out.</param>
    /// <param name="graph">The compiled graph.</param>
    /// <param name="features">Names of the explained elements.</param>
    /// <param name="classes">Names of the network's outputs.</param>
    /// <param name="labelled">Whether the data has labels.</param>
    public ExplanationColumns(ColumnSet chosen, LinearizationGraph graph, IReadOnlyList<string> features, ClassNames classes, bool labelled)
    {
        (Features, this.classes, Targets, FeatureShape) = (features, classes, TargetNames(graph, classes), graph.ExplainedInputs.Single().RowShape);
        (ColumnSet Set, Column Column)[] known =
        [
            (ColumnSet.Label, new("Label", ColumnKind.Output, false) { Whole = (b, i, _) => b.Label(i) }),
            (ColumnSet.Predicted, new("Predicted", ColumnKind.Output, false) { Whole = (b, i, _) => b.Predicted(i) }),
            (ColumnSet.Target, new(OutputNames.ExplainedTarget, ColumnKind.Output, true) { Whole = (b, i, k) => b.Target(i, k) }),
            (ColumnSet.Score, new(OutputNames.ExplainedScore, ColumnKind.Value, true)),
            (ColumnSet.Bias, new(OutputNames.Bias, ColumnKind.Value, true)),
            (ColumnSet.Error, new(OutputNames.LinearizationError, ColumnKind.Value, true)),
            (ColumnSet.Attribution, new(OutputNames.Attribution, ColumnKind.Vector, true)),
            (ColumnSet.Weights, new(OutputNames.Weights, ColumnKind.Vector, true)),
        ];
        chosen &= ~(labelled ? ColumnSet.None : ColumnSet.Label) & ~(graph.OutputCount > 1 ? ColumnSet.None : ColumnSet.Predicted);
        All = [new("Row", ColumnKind.Row, false) { Whole = (b, i, _) => b.RowNumber(i) }, .. known.Where(c => chosen.HasFlag(c.Set)).Select(c => c.Column)];
    }

    public IReadOnlyList<Column> All { get; }

    /// <summary>Names of the K targets: classes where they are the same for every row, else ranks.</summary>
    public IReadOnlyList<string> Targets { get; }

    /// <summary>Names of the M features.</summary>
    public IReadOnlyList<string> Features { get; }

    /// <summary>Shape that the M features have in the network.</summary>
    public IReadOnlyList<int> FeatureShape { get; }

    /// <summary>Whether outputs have names; they are written as numbers where they have none.</summary>
    public bool HasClassNames => classes.NamesOrNull is not null;

    /// <summary>Names of what the score is explained by: the data's own where it explains by the data, else positions.</summary>
    /// <param name="rows">The data.</param>
    /// <param name="graph">The compiled graph.</param>
    /// <param name="model">What it was compiled of.</param>
    /// <param name="positions">Names of the elements of a tensor.</param>
    public static IReadOnlyList<string> FeaturesOf(IRows rows, LinearizationGraph graph, ModelOptions model, Func<GraphInput, IReadOnlyList<string>> positions)
    {
        if (model.ExplainedParts.Count > 0) return [.. model.ExplainedParts.SelectMany(p => p.ElementNames(model.Parts, positions))];
        var explained = graph.ExplainedInputs.Single();
        return explained.Name == Explainer.DataInput(graph).Name && rows.FeatureNames is { } names ? names : positions(explained);
    }

    /// <summary>Number of targets that a column holds.</summary>
    public int Count(Column column) => column.PerTarget ? Targets.Count : 1;

    /// <summary>An output as text.</summary>
    public string Text(long output) => classes[output];

    /// <summary>Names of a column's values, as in a flat table: <c>Column</c>, <c>Column.slot</c>; with several targets the slot is <c>target|feature</c>, as in the library.</summary>
    public IEnumerable<string> FlatNames(Column column)
    {
        var single = Count(column) == 1;
        if (column.Kind != ColumnKind.Vector) return single ? [column.Name] : Targets.Select(t => $"{column.Name}.{t}");
        return single ? Features.Select(f => $"{column.Name}.{f}") : Targets.SelectMany(t => Features.Select(f => $"{column.Name}.{t}|{f}"));
    }

    private static IReadOnlyList<string> TargetNames(LinearizationGraph graph, ClassNames classes) => graph.Options.Targets.Kind switch
    {
        TargetKind.All => [.. Enumerable.Range(0, graph.TargetCount).Select(k => classes[k])],
        TargetKind.Classes => [.. graph.Options.Targets.Indices.Select(k => classes[k])],
        _ => [.. Enumerable.Range(1, graph.TargetCount).Select(k => $"#{k}")],
    };
}
