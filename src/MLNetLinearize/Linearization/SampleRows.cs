using System.Globalization;
using Microsoft.ML.OnnxRuntime;

namespace MLNetLinearize.Linearization;

/// <summary>Different random rows from −1 to 1, for proofs and measurements that no data is at hand for.</summary>
internal static class SampleRows
{
    /// <summary>Rows whose whole numbers are 0, which every network takes.</summary>
    public static Dictionary<string, Array> Of(LinearizationGraph graph, int rows, int seed) => Of(graph, rows, seed, flags: false);

    /// <summary>
    /// Uses rows whose whole numbers are 0 and 1 by chance: indices into nearly any table, and masks that leave something. Where ONNX Runtime refuses those
    /// (a rate, a size), rows of zeros.
    /// </summary>
    public static T Use<T>(LinearizationGraph graph, int rows, int seed, Func<Dictionary<string, Array>, T> use)
    {
        if (graph.Inputs.Any(i => IsFlag(i)))
            try
            {
                return use(Of(graph, rows, seed, flags: true));
            }
            catch (Exception e) when (e is OnnxRuntimeException || e.InnerException is OnnxRuntimeException)
            {
                // Zeros are tried instead.
            }
        return use(Of(graph, rows, seed));
    }

    private static Dictionary<string, Array> Of(LinearizationGraph graph, int rows, int seed, bool flags)
    {
        var random = new Random(seed);
        return graph.Inputs.ToDictionary(i => i.Name, i => Values(i, rows, random, flags && IsFlag(i)));
    }

    private static bool IsFlag(GraphInput input) => input.Name != OutputNames.Label && input.ElementType != typeof(float) && input.ElementType != typeof(string);

    /// <summary>One row of several.</summary>
    public static Dictionary<string, Array> Row(LinearizationGraph graph, IReadOnlyDictionary<string, Array> rows, int row) => graph.Inputs.ToDictionary(i => i.Name, i =>
    {
        var one = Array.CreateInstance(i.ElementType, i.RowLength);
        Array.Copy(rows[i.Name], row * i.RowLength, one, 0, i.RowLength);
        return one;
    });

    private static Array Values(GraphInput input, int rows, Random random, bool isFlag)
    {
        var values = Array.CreateInstance(input.ElementType, rows * input.RowLength);
        if (values is float[] floats) for (var i = 0; i < floats.Length; i++) floats[i] = (float)(random.NextDouble() * 2 - 1);
        if (values is string[] strings) Array.Fill(strings, "");
        if (isFlag) for (var i = 0; i < values.Length; i++) values.SetValue(Convert.ChangeType(random.Next(2), input.ElementType, CultureInfo.InvariantCulture), i);
        return values;
    }
}
