using Microsoft.ML.OnnxRuntime;

namespace MLNetLinearize.Runtime;

/// <summary>The explanations of a batch of rows: each output as one array, row after row.</summary>
internal sealed class ExplanationBatch(int rows)
{
    private readonly Dictionary<string, Array> values = [];

    public int Rows { get; } = rows;

    public bool Has(string output) => values.ContainsKey(output);

    /// <summary>Elements of one row of a Single output.</summary>
    public ReadOnlySpan<float> Single(string output, int row) => Row((float[])values[output], row);

    /// <summary>Elements of one row of an Int64 output.</summary>
    public ReadOnlySpan<long> Int64(string output, int row) => Row((long[])values[output], row);

    /// <summary>All rows of a Single output, without a copy.</summary>
    public float[] AllSingle(string output) => (float[])values[output];

    internal void Set(string output, OrtValue value) =>
        values[output] = output == OutputNames.ExplainedTarget ? value.GetTensorDataAsSpan<long>().ToArray() : value.GetTensorDataAsSpan<float>().ToArray();

    internal void SetRow(int row, ExplanationBatch one)
    {
        foreach (var (name, array) in one.values)
        {
            if (!values.TryGetValue(name, out var all)) values[name] = all = Array.CreateInstance(array.GetType().GetElementType()!, array.Length * Rows);
            Array.Copy(array, 0, all, row * array.Length, array.Length);
        }
    }

    private ReadOnlySpan<T> Row<T>(T[] array, int row)
    {
        var length = array.Length / Rows;
        return array.AsSpan(row * length, length);
    }
}
