namespace MLNetLinearize.Reporting;

/// <summary>Names for input elements that the data has no names for, spelled as the slot names of the ML.NET columns.</summary>
internal static class FeatureNames
{
    /// <summary>Each element's position in a row's shape, such as <c>[0,12,7]</c> for row 12, column 7 of <c>[1, 28, 28]</c>.</summary>
    public static IReadOnlyList<string> Positions(IReadOnlyList<int> rowShape)
    {
        var names = new string[rowShape.Aggregate(1, (a, d) => a * d)];
        var position = new int[Math.Max(1, rowShape.Count)];
        for (var i = 0; i < names.Length; i++)
        {
            names[i] = $"[{string.Join(',', position)}]";
            for (var axis = rowShape.Count - 1; axis >= 0 && ++position[axis] == rowShape[axis]; axis--) position[axis] = 0;
        }
        return names;
    }

    /// <summary>The same without leading axes of size 1, such as a single channel's: they say nothing, and the terminal is narrow.</summary>
    public static IReadOnlyList<string> ShortPositions(IReadOnlyList<int> rowShape) => Positions([.. rowShape.SkipWhile(d => d == 1)]);
}
