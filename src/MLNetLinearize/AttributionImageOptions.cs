namespace MLNetLinearize;

/// <summary>How contributions become a picture. All properties have defaults that suit the attribution of one image classifier's output.</summary>
public sealed class AttributionImageOptions
{
    /// <summary>
    /// Shape of the image that is explained: [H, W], [C, H, W] or [H, W, C] with 1 or 3 channels. Default: the column's own
    /// dimensions; four of them, or three that are no image, are one image for each target. Give it where the column is a line of numbers.
    /// </summary>
    public IReadOnlyList<int>? Shape { get; init; }

    /// <summary>Which of the explained targets is drawn, from 0, where the column holds several. Default: the first.</summary>
    public int Target { get; init; }

    /// <summary>Draws the contributions of this channel alone, from 0. Default: of each pixel the sum over its channels, which is what the pixel contributed.</summary>
    public int? Channel { get; init; }

    /// <summary>The |contribution| that is drawn in full colour, the same for all rows. Default: from each row itself, by <see cref="Coverage"/>.</summary>
    public float? Scale { get; init; }

    /// <summary>
    /// Share of the pixels that contribute at all whose |contribution| the row's own scale covers; the few stronger ones are
    /// drawn in full colour as well, so that one outlier does not fade the others. Default: 0.995; 1 is the largest.
    /// </summary>
    public double Coverage { get; init; } = 0.995;

    /// <summary>Draws how much each pixel counts, whichever way, from white to red. Default: red for, blue against.</summary>
    public bool IsAbsolute { get; init; }

    /// <summary>Standard deviation in pixels of a Gaussian by which each contribution is spread over its neighbourhood; the total stays. Default: 0, none.</summary>
    public double Smoothing { get; init; }

    /// <summary>
    /// Column of the picture to draw over: an image of the same size, or a vector of its pixels with 1 or 3 channels (such as
    /// the network's input). It is shown in light grey, its own darkest value as a medium grey and its lightest as white, so that
    /// the colours stand out everywhere. Default: none.
    /// </summary>
    public string? ImageColumn { get; init; }

    /// <summary>How much a pixel of full colour hides of the picture below, from 0 to 1; weaker ones hide less, as their share of the scale. Default: 0.9.</summary>
    public double Opacity { get; init; } = 0.9;
}
