namespace MLNetLinearize.Fuzz;

/// <summary>A drawn row.</summary>
internal static class Row
{
    /// <summary>For each input its elements; null where one is of a type that is not drawn.</summary>
    public static IReadOnlyDictionary<string, Array>? Draw(LinearizationGraph graph, int seed)
    {
        var random = new Random(seed);
        var row = new Dictionary<string, Array>();
        foreach (var input in graph.Inputs)
        {
            var of = Enumerable.Range(0, input.RowLength);
            Array? values = Type.GetTypeCode(input.ElementType) switch
            {
                TypeCode.Single => of.Select(_ => 3 * random.NextSingle() - 1.5f).ToArray(),
                TypeCode.Double => of.Select(_ => 3 * random.NextDouble() - 1.5).ToArray(),
                TypeCode.Int64 => of.Select(_ => (long)random.Next(3)).ToArray(),
                TypeCode.Int32 => of.Select(_ => random.Next(3)).ToArray(),
                TypeCode.Boolean => of.Select(_ => random.Next(2) == 0).ToArray(),
                TypeCode.Byte => of.Select(_ => (byte)random.Next(3)).ToArray(),
                _ => null,
            };
            if (values is null) return null;
            row[input.Name] = values;
        }
        return row;
    }

    /// <summary>The row a little off, to tell what rounding makes of the network.</summary>
    public static IReadOnlyDictionary<string, Array> Moved(IReadOnlyDictionary<string, Array> row, float by) =>
        row.ToDictionary(r => r.Key, r => r.Value is float[] values ? values.Select(v => v * (1 + by)).ToArray() : r.Value);
}
