using MLNetLinearize.Transforms;

namespace MLNetLinearize.Reporting;

/// <summary>Names for input elements that the data has no names for: those of the ML.NET columns' slots.</summary>
internal static class FeatureNames
{
    /// <summary>Each element's position in a row, such as <c>[0,12,7]</c> for row 12, column 7 of <c>[1, 28, 28]</c>.</summary>
    public static IReadOnlyList<string> Positions(GraphInput input) => SlotNames.Features(input, null);

    /// <summary>The same without leading axes of size 1, such as a single channel's: they say nothing, and the terminal is narrow.</summary>
    public static IReadOnlyList<string> ShortPositions(GraphInput input) =>
        Positions(new GraphInput(input.Name, input.ElementType, [.. input.RowShape.SkipWhile(d => d == 1)], input.HasBatchAxis, input.IsExplained));
}
