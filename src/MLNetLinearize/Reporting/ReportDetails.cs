namespace MLNetLinearize.Reporting;

/// <summary>
/// The explanation of one row as the report stores it, little-endian. Features are stored as they are: the strongest
/// <see cref="MostFeatures"/>, in single precision. Of images, which would fill the file, each pixel's contribution is
/// rounded to steps of 1/127 of the map's largest; scores, biases and sums are stored as they are there too.
/// </summary>
/// <remarks>
/// A row is: byte T, the number of targets; for each, Int32 output and Single score, bias, Σ attribution, error. Then of
/// features: UInt16 S, S × UInt32 index, S × Single value, T × S × Single contribution. Of an image: Single lowest and
/// highest value, H·W·C bytes, which span these two, channels last; for each target Single step, H·W signed bytes, −128 for
/// what is not finite.
/// </remarks>
internal sealed class ReportDetails(ImageShape? image)
{
    public const int MostFeatures = 64;
    private const sbyte NotFinite = sbyte.MinValue;

    public byte[] Write(ReportRow row, IReadOnlyList<ReportTarget> targets)
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        writer.Write((byte)targets.Count);
        foreach (var target in targets)
        {
            var sum = ErrorStatistics.Sum(target.Attribution.Span);
            writer.Write(target.Output);
            writer.Write(target.Score);
            writer.Write(target.Bias);
            writer.Write((float)sum);
            writer.Write((float)ErrorStatistics.ScaledError(target.Score, sum, target.Bias));
        }
        if (image is null) WriteFeatures(writer, row.Values.Span, targets);
        else WriteImage(writer, row.Values.Span, targets);
        return bytes.ToArray();
    }

    /// <summary>The features that matter most to any of the targets, strongest first.</summary>
    private static int[] Strongest(IReadOnlyList<ReportTarget> targets)
    {
        var strongest = new float[targets[0].Attribution.Length];
        foreach (var target in targets)
        {
            var attribution = target.Attribution.Span;
            for (var i = 0; i < strongest.Length; i++) strongest[i] = Math.Max(strongest[i], Math.Abs(attribution[i]));
        }
        // What is not finite has no size, yet is what the reader must see.
        for (var i = 0; i < strongest.Length; i++)
            if (float.IsNaN(strongest[i])) strongest[i] = float.PositiveInfinity;
        return [.. TopFeatures.Strongest(strongest, MostFeatures).Select(t => t.Index)];
    }

    private static void WriteFeatures(BinaryWriter writer, ReadOnlySpan<float> values, IReadOnlyList<ReportTarget> targets)
    {
        var kept = Strongest(targets);
        writer.Write((ushort)kept.Length);
        foreach (var i in kept) writer.Write((uint)i);
        foreach (var i in kept) writer.Write(values[i]);
        foreach (var target in targets)
            foreach (var i in kept) writer.Write(target.Attribution.Span[i]);
    }

    private void WriteImage(BinaryWriter writer, ReadOnlySpan<float> values, IReadOnlyList<ReportTarget> targets)
    {
        var (low, high) = HeatMap.Range(values);
        writer.Write(low);
        writer.Write(high);
        for (var y = 0; y < image!.Height; y++)
            for (var x = 0; x < image.Width; x++)
                for (var c = 0; c < image.Channels; c++) writer.Write(HeatMap.Shade(values[image.Index(y, x, c)], low, high));
        foreach (var target in targets) WriteMap(writer, image.SumChannels(target.Attribution.Span));
    }

    /// <summary>
    /// A map in steps of 1/127 of its largest value. What rounding takes from a pixel is added to the next of its sign, so
    /// that the sums of what speaks for and against stay right within a step; a pixel is within one step too, and 0 is 0.
    /// </summary>
    internal static void WriteMap(BinaryWriter writer, ReadOnlySpan<float> pixels)
    {
        var largest = 0f;
        foreach (var value in pixels)
            if (float.IsFinite(value)) largest = Math.Max(largest, Math.Abs(value));
        var step = largest / sbyte.MaxValue;
        writer.Write(step);
        var (positive, negative) = (0f, 0f);
        foreach (var value in pixels)
            writer.Write(!float.IsFinite(value) ? NotFinite : value > 0 ? Steps(value, ref positive) : value < 0 ? (sbyte)-Steps(-value, ref negative) : (sbyte)0);

        sbyte Steps(float size, ref float left)
        {
            // Of numbers too small for single precision to divide by, none is left.
            var steps = step > 0 ? Math.Clamp(MathF.Round((size + left) / step), 0, sbyte.MaxValue) : 0;
            left += size - steps * step;
            return (sbyte)steps;
        }
    }
}
