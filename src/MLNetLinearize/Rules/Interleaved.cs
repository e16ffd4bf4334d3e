namespace MLNetLinearize.Rules;

/// <summary>
/// Images put together from their elements of every residue (Shi et al. 2016, arXiv 1609.07009): element s·q + r along each axis
/// is element q of part r. Sums of such images are summed part by part, so that elements are moved once, and parts of nothing but
/// zeros, as the transpose of a strided 1×1 convolution has, cost nothing.
/// </summary>
internal sealed class Interleaved
{
    /// <summary>
    /// Elements of an image above which two transposes, first of the columns and then of the rows, take half the time of
    /// DepthToSpace, whose kernel moves single elements; below, one operator is less than five.
    /// </summary>
    private const long Many = 1 << 13;

    private readonly Dictionary<string, Image> images = [];
    private readonly Dictionary<string, Blocks> blocks = [];

    /// <param name="e">Writer.</param>
    /// <param name="image">The parts.</param>
    /// <returns>The image, [N, C, h, w].</returns>
    public string Join(Emitter e, Image image)
    {
        var zeros = image.Parts.Contains(null) ? e.Zeros(e.Shape(image.Parts.First(p => p is not null)!)) : null;
        var joined = Emit(e, new(e.Concat(image.Parts.Select(p => p ?? zeros!), 1), image.Stride, image.Channels, image.Height, image.Width), 1);
        images[joined] = image;
        return joined;
    }

    /// <summary>The parts that an image was put together from, and nothing but zeros beyond it; null where it was not.</summary>
    public Image? PartsOf(string image) => images.GetValueOrDefault(image) is { IsZeroBeyond: true } parts ? parts : null;

    /// <summary>The elements of blocks put side by side, and cut to the image's size.</summary>
    public string Join(Emitter e, Blocks image)
    {
        var joined = Emit(e, image, 1);
        blocks[joined] = image;
        return joined;
    }

    /// <summary>As many images for each row, joined together instead of each by itself: [N · images, C, h, w]; null where they were not made of like blocks.</summary>
    /// <param name="e">Writer.</param>
    /// <param name="joined">The images, each [N, C, h, w].</param>
    /// <param name="concatenate">Puts their elements one behind the other along axis 1.</param>
    public string? JoinAll(Emitter e, IReadOnlyList<string> joined, Func<IEnumerable<string>, string> concatenate)
    {
        var all = joined.Select(blocks.GetValueOrDefault).OfType<Blocks>().ToList();
        if (all.Count < joined.Count || all.Select(b => b with { Elements = "" }).Distinct().Count() > 1) return null;
        var one = all[0];
        var elements = e.Reshape(concatenate(all.Select(b => b.Elements)), -1, one.Size * one.Size * one.Channels, one.Rows, one.Columns);
        return Emit(e, one with { Elements = elements }, joined.Count);
    }

    private static string Emit(Emitter e, Blocks image, long images)
    {
        var (elements, block, channels, height, width) = image;
        var (h, w) = (image.Rows, image.Columns);
        var joined = channels % BlockedLayout.Channels == 0 ? ByRows() : images * channels * height * width < Many ? e.Op("DepthToSpace", [elements], ("blocksize", block)) : Transposed();
        if (height % block != 0) joined = e.Slice(joined, 0, height, 2);
        return width % block == 0 ? joined : e.Slice(joined, 0, width, 3);

        // With channels inmost, as ONNX Runtime takes them out of its blocks and back at no further cost, the elements of a block's row lie side by side.
        string ByRows()
        {
            var last = e.Reshape(e.Transpose(elements, 0, 2, 3, 1), 0, h, w, block, block * channels);
            return e.Transpose(e.Reshape(e.Transpose(last, 0, 1, 3, 2, 4), 0, h * block, w * block, channels), 0, 3, 1, 2);
        }

        string Transposed()
        {
            var rows = e.Transpose(e.Reshape(elements, 0, block, block, channels * h * w), 0, 1, 3, 2);
            var image = e.Transpose(e.Reshape(rows, 0, block, channels * h, w * block), 0, 2, 1, 3);
            return e.Reshape(image, 0, channels, h * block, w * block);
        }
    }

    /// <summary>The sum of tensors of one shape.</summary>
    public string Sum(Emitter e, IReadOnlyList<string> terms)
    {
        var parts = terms.Where(images.ContainsKey).Select(t => images[t]).ToList();
        if (parts.Count < 2 || parts.Any(p => p.Stride != parts[0].Stride)) return e.Sum(terms);
        var sums = parts[0].Parts.Select((_, i) => parts.Select(p => p.Parts[i]).OfType<string>().ToList() is { Count: > 0 } given ? e.Sum(given) : null);
        return e.Sum([Join(e, parts[0] with { Parts = [.. sums], IsZeroBeyond = parts.All(p => p.IsZeroBeyond) }), .. terms.Where(t => !images.ContainsKey(t))]);
    }

    /// <param name="Parts">For each residue of rows and columns, columns inmost, [N, C, ⌈h/s⌉, ⌈w/s⌉]; null where all is zero.</param>
    /// <param name="Stride">s.</param>
    /// <param name="Channels">C.</param>
    /// <param name="Height">h.</param>
    /// <param name="Width">w.</param>
    public sealed record Image(IReadOnlyList<string?> Parts, long Stride, long Channels, long Height, long Width)
    {
        /// <summary>⌈h/s⌉.</summary>
        public long Rows => (Height + Stride - 1) / Stride;

        /// <summary>⌈w/s⌉.</summary>
        public long Columns => (Width + Stride - 1) / Stride;

        /// <summary>Whether what the parts hold beyond the image, if anything, is zero. A padded convolution's windows give cotangents there.</summary>
        public bool IsZeroBeyond { get; init; } = Height % Stride == 0 && Width % Stride == 0;
    }

    /// <param name="Elements">[N, s·s·C, ⌈h/s⌉, ⌈w/s⌉]: place in the block, columns inmost, then channel.</param>
    /// <param name="Size">s.</param>
    /// <param name="Channels">C.</param>
    /// <param name="Height">h.</param>
    /// <param name="Width">w.</param>
    public sealed record Blocks(string Elements, long Size, long Channels, long Height, long Width)
    {
        /// <summary>⌈h/s⌉.</summary>
        public long Rows => (Height + Size - 1) / Size;

        /// <summary>⌈w/s⌉.</summary>
        public long Columns => (Width + Size - 1) / Size;
    }
}
