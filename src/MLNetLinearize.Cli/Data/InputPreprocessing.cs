using MLNetLinearize.Reporting;

namespace MLNetLinearize.Cli.Data;

/// <summary>How an image's size is changed before the network sees it.</summary>
/// <param name="Height">Height, or null where <paramref name="ShortestEdge"/> is given.</param>
/// <param name="Width">Width, or null where <paramref name="ShortestEdge"/> is given.</param>
/// <param name="ShortestEdge">The shorter side; the longer one follows, rounded down.</param>
/// <param name="Method">How pixels in between come about.</param>
internal sealed record ImageSize(int? Height, int? Width, int? ShortestEdge, ResizeMethod Method);

/// <summary>How pixels between pixels come about. Linear and cubic average over all pixels that one new pixel covers (antialias), as Pillow does.</summary>
internal enum ResizeMethod
{
    Nearest,
    Linear,
    Cubic,
}

/// <summary>
/// What becomes of the data before the network sees it: (value · scale − mean) / std, with mean and std of the channel;
/// for images also the size and where the channels lie.
/// </summary>
internal sealed record InputPreprocessing
{
    public Scale Scale { get; init; } = Scale.One;

    /// <summary>None, one for all values, one a channel, or one a column of a table; subtracted after scaling.</summary>
    public IReadOnlyList<double> Mean { get; init; } = [];

    /// <summary>The same; divided by last.</summary>
    public IReadOnlyList<double> Std { get; init; } = [];

    /// <summary>Names of the columns that mean and std are of; the data's own order when null.</summary>
    public IReadOnlyList<string>? Features { get; init; }

    public ImageSize? Size { get; init; }

    /// <summary>Height and width that are cut out of the middle.</summary>
    public (int Height, int Width)? Crop { get; init; }

    /// <summary>Whether the network takes [H, W, C] rather than [C, H, W]; by its input's shape when null.</summary>
    public bool? ChannelsLast { get; init; }

    /// <summary>Whether values become others.</summary>
    public bool ChangesValues => Scale != Scale.One || Mean.Count > 0 || Std.Count > 0;

    /// <summary>Whether anything is given that only images have.</summary>
    public bool IsForImages => Size is not null || Crop is not null || ChannelsLast is not null;

    /// <summary>The image that an input takes, or null where it takes none.</summary>
    public ImageShape? ShapeOf(GraphInput input)
    {
        var shape = ImageShape.Of(input.RowShape);
        if (ChannelsLast is not { } last || shape is null || shape.Channels == 1 || shape.ChannelsLast == last) return shape;
        // A shape such as [3, 224, 3] can be read both ways.
        var other = input.RowShape is [var a, var b, var c] ? last ? new ImageShape(a, b, c, true) : new ImageShape(b, c, a) : null;
        return other is { Channels: 1 or 3 } ? other
            : throw new InputException($"--layout {(last ? "hwc" : "chw")}: the network's input '{input.Name}' takes {RowShapes.Text(input.RowShape)}, which is no such image.");
    }

    /// <summary>What scales and normalises the rows of an input, in place.</summary>
    /// <param name="input">The input.</param>
    /// <param name="features">Names of a row's elements, where the data has them.</param>
    public Action<double[]> For(GraphInput input, IReadOnlyList<string>? features)
    {
        var channels = Math.Max(Mean.Count, Std.Count);
        if (channels == 0) return row => Each(row, (value, _) => Scale.Apply(value));
        var (mean, std) = (Full(Mean, 0, channels), Full(Std, 1, channels));
        if (Features is not null || channels > 1 && channels == input.RowLength)
        {
            var places = Places(input, features);
            return row => Each(row, (value, i) => (Scale.Apply(value) - mean[places[i]]) / std[places[i]]);
        }
        var shape = channels == 1 ? null : ShapeOf(input);
        if (channels > 1 && shape?.Channels != channels)
            throw new InputException($"--mean and --std give {channels} numbers, but a row of the network's input '{input.Name}' has {input.RowLength} values{(shape is null ? "" : $", an image of {shape.Channels} channels")}. Give one number, {(shape is null ? "" : "one for each channel, or ")}one for each value.");
        return row => Each(row, (value, i) =>
        {
            var c = shape is null ? 0 : shape.ChannelsLast ? i % channels : i / (shape.Height * shape.Width);
            return (Scale.Apply(value) - mean[c]) / std[c];
        });
    }

    /// <summary>For each element of a row, which of the numbers is its own.</summary>
    private int[] Places(GraphInput input, IReadOnlyList<string>? features)
    {
        if (Features is null) return [.. Enumerable.Range(0, input.RowLength)];
        if (features is null) return Features.Count == input.RowLength ? [.. Enumerable.Range(0, input.RowLength)] : throw Count();
        var places = Features.Index().ToDictionary(f => f.Item, f => f.Index);
        if (features.Where(f => !places.ContainsKey(f)).ToList() is { Count: > 0 } unknown)
            throw new InputException($"--preprocessing: the scaler knows the columns {Names.Some(Features)}, and the data has {Names.Some(unknown)} besides. Name what is no input with --label-column or --ignore-column.");
        return [.. features.Select(f => places[f])];

        InputException Count() => new($"--preprocessing: the scaler is of {Features.Count} columns, and a row of the network's input '{input.Name}' has {input.RowLength} values.");
    }

    private static void Each(double[] row, Func<double, int, double> change)
    {
        for (var i = 0; i < row.Length; i++) row[i] = change(row[i], i);
    }

    private static double[] Full(IReadOnlyList<double> given, double none, int channels) => given.Count == channels ? [.. given] : [.. Enumerable.Repeat(given.Count == 0 ? none : given[0], channels)];
}
