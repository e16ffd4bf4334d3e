namespace MLNetLinearize.Runtime;

/// <summary>The explanations of a batch of rows: each output as one array, row after row.</summary>
internal sealed class ExplanationBatch
{
    private readonly Dictionary<string, Array> values = [];

    /// <param name="graph">The graph.</param>
    /// <param name="outputs">Its outputs to hold.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="isPinned">Whether the arrays never move: right for arrays that live long and are written by ONNX Runtime again and again.</param>
    public ExplanationBatch(LinearizationGraph graph, IEnumerable<string> outputs, int rows, bool isPinned)
    {
        Rows = rows;
        foreach (var name in outputs)
        {
            var length = checked((int)(rows * RowLength(graph, name)));
            values[name] = name == OutputNames.ExplainedTarget ? GC.AllocateArray<long>(length, isPinned) : GC.AllocateArray<float>(length, isPinned);
        }
    }

    public int Rows { get; }

    public bool Has(string output) => values.ContainsKey(output);

    /// <summary>Elements of one row of a Single output.</summary>
    public ReadOnlySpan<float> Single(string output, int row) => RowsOf<float>(output)[row];

    /// <summary>Elements of one row of an Int64 output.</summary>
    public ReadOnlySpan<long> Int64(string output, int row) => RowsOf<long>(output)[row];

    /// <summary>The rows of an output, for whoever reads one after the other.</summary>
    public OutputRows<T> RowsOf<T>(string output)
    {
        var all = (T[])values[output];
        return new(all, all.Length / Rows);
    }

    /// <summary>All rows of a Single output, without a copy.</summary>
    public float[] AllSingle(string output) => (float[])values[output];

    /// <summary>All rows of any output, without a copy.</summary>
    internal Array All(string output) => values[output];

    /// <summary>Shape of one row of an output.</summary>
    internal static long[] RowShape(LinearizationGraph graph, string output) =>
        [.. graph.Model.Graph.Output.Single(o => o.Name == output).Type.TensorType.Shape.Dim.Skip(1).Select(d => d.DimValue)];

    /// <summary>Elements of one row of an output.</summary>
    internal static long RowLength(LinearizationGraph graph, string output) => RowShape(graph, output).Aggregate(1L, (a, d) => a * d);
}

/// <summary>The rows of one output.</summary>
/// <param name="Values">All rows, one after the other.</param>
/// <param name="Length">Elements of a row.</param>
internal readonly record struct OutputRows<T>(T[] Values, int Length)
{
    public ReadOnlySpan<T> this[int row] => Values.AsSpan(row * Length, Length);
}
