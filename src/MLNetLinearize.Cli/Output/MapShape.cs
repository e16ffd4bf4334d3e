using System.Globalization;
using MLNetLinearize.Reporting;

namespace MLNetLinearize.Cli.Output;

/// <summary>The image that maps of a network's input are drawn over.</summary>
internal static class MapShape
{
    /// <param name="argument">What asks for maps, for messages.</param>
    /// <param name="given">The shape as given (<c>--image-shape</c>), or null for that of the input.</param>
    /// <param name="graph">The compiled graph.</param>
    /// <param name="preprocessing">Says where the channels lie.</param>
    public static ImageShape Of(string argument, string? given, LinearizationGraph graph, Data.InputPreprocessing preprocessing)
    {
        var input = Explainer.DataInput(graph);
        if (graph.ExplainedInputs.Single().Name != input.Name) throw new InputException($"{argument} draws maps of the network's input, and --explained-input names another tensor. Leave one of them out.");
        if (given is null)
            return preprocessing.ShapeOf(input) ?? throw new InputException($"{argument}: the network's input '{input.Name}' takes {Words.Shape(input.RowShape)} a row, which is no image. If the numbers are pixels, say how they lie: --image-shape HxW.");
        return ImageShape.Of(Sizes(given, input))!;
    }

    /// <summary>The sizes that a user gives as <c>HxW</c>, <c>CxHxW</c> or <c>HxWxC</c>.</summary>
    public static IReadOnlyList<int> Sizes(string given, GraphInput input)
    {
        var sizes = given.Split('x').Select(s => int.TryParse(s, NumberStyles.None, CultureInfo.InvariantCulture, out var v) ? v : 0).ToArray();
        return sizes.Length is 2 or 3 && ImageShape.Of(sizes)?.Length == input.RowLength ? sizes : throw new InputException($"--image-shape '{given}': expected HxW, CxHxW or HxWxC (1 or 3 channels) of {input.RowLength} values in all, such as 28x28.");
    }
}
