using MLNetLinearize.Reporting;

namespace MLNetLinearize.Evaluation;

/// <summary>What is removed and kept as one, as lists of elements of the explained inputs, one input after the other.</summary>
internal sealed class Units
{
    private readonly int[] ofElement;

    /// <param name="kind">What they are.</param>
    /// <param name="ofElement">For each element the index of its unit.</param>
    /// <param name="image">The image whose pixels they are, or null.</param>
    public Units(EvaluationUnit kind, int[] ofElement, ImageShape? image)
    {
        (Kind, this.ofElement, Image) = (kind, ofElement, image);
        Elements = [.. Enumerable.Range(0, ofElement.Length).GroupBy(e => ofElement[e]).OrderBy(g => g.Key).Select(g => g.ToArray())];
        Patches = [.. MakePatches()];
    }

    public EvaluationUnit Kind { get; }

    public ImageShape? Image { get; }

    public int Count => Elements.Count;

    /// <summary>The elements of each unit.</summary>
    public IReadOnlyList<int[]> Elements { get; }

    /// <summary>Units that occlusion covers together.</summary>
    public IReadOnlyList<int[]> Patches { get; }

    /// <param name="graph">The graph.</param>
    /// <param name="options">What the user wants.</param>
    /// <param name="columns">For each element its original column, where these are known.</param>
    public static Units Of(LinearizationGraph graph, EvaluateOptions options, int[]? columns)
    {
        var length = graph.ExplainedInputs.Sum(i => i.RowLength);
        var image = Shape(graph, options, length);
        var kind = options.Unit ?? (image is null ? EvaluationUnit.Element : EvaluationUnit.Pixel);
        var elements = Enumerable.Range(0, length);
        return kind switch
        {
            EvaluationUnit.Element => new(kind, [.. elements], image is { Channels: 1 } ? image : null),
            EvaluationUnit.Pixel when image is { } i => new(kind, [.. elements.Select(e => i.ChannelsLast ? e / i.Channels : e % (i.Height * i.Width))], i),
            EvaluationUnit.Pixel => throw new ArgumentException($"EvaluateOptions.{nameof(options.Unit)} is Pixel, but the explained input is [{string.Join(", ", graph.ExplainedInputs[0].RowShape)}] a row, which is no image of 1 or 3 channels. Give its shape in {nameof(options.ImageShape)}, or take Element."),
            _ => new(kind, columns ?? throw new ArgumentException($"EvaluateOptions.{nameof(options.Unit)} is Column, but these rows have no columns. Take Element."), null),
        };
    }

    /// <summary>The contributions of the units.</summary>
    public double[] Sum(ReadOnlySpan<float> elements)
    {
        var sums = new double[Count];
        for (var e = 0; e < elements.Length; e++) sums[ofElement[e]] += elements[e];
        return sums;
    }

    private static ImageShape? Shape(LinearizationGraph graph, EvaluateOptions options, int length)
    {
        if (options.ImageShape is not { } given) return graph.ExplainedInputs.Count == 1 ? ImageShape.Of(graph.ExplainedInputs[0].RowShape) : null;
        return ImageShape.Of(given) is { } shape && shape.Length == length ? shape
            : throw new ArgumentException($"EvaluateOptions.{nameof(options.ImageShape)} is [{string.Join(", ", given)}]; expected [H, W], [C, H, W] or [H, W, C] with 1 or 3 channels, {length} elements in all.");
    }

    private IEnumerable<int[]> MakePatches()
    {
        if (Image is null) return Enumerable.Range(0, Count).Select(u => new[] { u });
        var side = Math.Max(1, (int)Math.Round(Math.Min(Image.Height, Image.Width) / 7.0));
        var width = Image.Width;
        return from top in Places(Image.Height, side)
               from left in Places(width, side)
               select (from y in Enumerable.Range(top, side) from x in Enumerable.Range(left, side) select y * width + x).ToArray();
    }

    /// <summary>Where patches begin along an axis: every half side, and at its end.</summary>
    private static IEnumerable<int> Places(int length, int side)
    {
        var stride = Math.Max(1, side / 2);
        for (var at = 0; at + side < length; at += stride) yield return at;
        yield return length - side;
    }
}
