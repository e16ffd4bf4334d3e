using System.Globalization;

namespace MLNetLinearize.Reporting;

/// <summary>Names for input elements that the data has no names for.</summary>
internal static class FeatureNames
{
    /// <summary>
    /// Each element's position in a row's shape, such as <c>12_7</c> for row 12, column 7 of <c>[1, 28, 28]</c>: leading
    /// axes of size 1 say nothing and are left out.
    /// </summary>
    public static IReadOnlyList<string> Positions(IReadOnlyList<int> rowShape)
    {
        var shape = rowShape.SkipWhile(d => d == 1).ToArray();
        if (shape.Length == 0) return ["0"];
        var names = new string[shape.Aggregate(1, (a, d) => a * d)];
        var position = new int[shape.Length];
        for (var i = 0; i < names.Length; i++)
        {
            names[i] = string.Join('_', position.Select(p => p.ToString(CultureInfo.InvariantCulture)));
            for (var axis = shape.Length - 1; axis >= 0 && ++position[axis] == shape[axis]; axis--) position[axis] = 0;
        }
        return names;
    }
}
