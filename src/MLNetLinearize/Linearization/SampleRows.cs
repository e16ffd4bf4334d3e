namespace MLNetLinearize.Linearization;

/// <summary>Different random rows from −1 to 1, for proofs and measurements that no data is at hand for.</summary>
internal static class SampleRows
{
    public static Dictionary<string, Array> Of(LinearizationGraph graph, int rows, int seed)
    {
        var random = new Random(seed);
        return graph.Inputs.ToDictionary(i => i.Name, i => Values(i, rows, random));
    }

    /// <summary>One row of several.</summary>
    public static Dictionary<string, Array> Row(LinearizationGraph graph, IReadOnlyDictionary<string, Array> rows, int row) => graph.Inputs.ToDictionary(i => i.Name, i =>
    {
        var one = Array.CreateInstance(i.ElementType, i.RowLength);
        Array.Copy(rows[i.Name], row * i.RowLength, one, 0, i.RowLength);
        return one;
    });

    private static Array Values(GraphInput input, int rows, Random random)
    {
        var values = Array.CreateInstance(input.ElementType, rows * input.RowLength);
        if (values is float[] floats) for (var i = 0; i < floats.Length; i++) floats[i] = (float)(random.NextDouble() * 2 - 1);
        if (values is string[] strings) Array.Fill(strings, "");
        return values;
    }
}
