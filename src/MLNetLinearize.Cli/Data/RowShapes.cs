namespace MLNetLinearize.Cli.Data;

/// <summary>Shapes of rows in files, compared with those that a network takes.</summary>
internal static class RowShapes
{
    /// <summary>Refuses rows that do not fill the input.</summary>
    public static void Check(string name, IReadOnlyList<int> data, GraphInput input)
    {
        if (!Fits(data, input.RowShape))
            throw new InputException($"'{name}' holds rows of shape {Text(data)}, but the network's input '{input.Name}' takes {Text(input.RowShape)}. Check that model and data belong together.");
    }

    public static string Text(IEnumerable<int> shape) => $"[{string.Join(", ", shape)}]";

    /// <summary>Whether both shapes are the same grid (axes of size 1 aside), or one of them is the other's elements in a line.</summary>
    private static bool Fits(IReadOnlyList<int> data, IReadOnlyList<int> input)
    {
        if (data.Aggregate(1L, (a, d) => a * d) != input.Aggregate(1L, (a, d) => a * d)) return false;
        var (a, b) = (data.Where(d => d != 1).ToArray(), input.Where(d => d != 1).ToArray());
        return a.Length <= 1 || b.Length <= 1 || a.SequenceEqual(b);
    }
}
