using MLNetLinearize.Transforms;

namespace MLNetLinearize.Reporting;

/// <summary>What a report tells of all rows, gathered while they stream by. What is kept does not grow with their number.</summary>
internal sealed class ReportStatistics(int features, ImageShape? image)
{
    private const int SampledRows = 300;
    private const long ClassBudget = 64L << 20, SampleBudget = 16L << 20;
    private readonly Dictionary<(int Label, int Predicted), long> confusions = [];
    private readonly Dictionary<int, ClassSums> classes = [];
    private readonly RowSample sample = new((int)Math.Clamp(SampleBudget / (sizeof(float) * (2L * features + 1)), 1, SampledRows));
    private readonly float[] sampled = new float[image is null ? 2 * features + 1 : 0];

    public long Rows { get; private set; }

    public long Labelled { get; private set; }

    public long Right { get; private set; }

    /// <summary>Rows without an explanation: NaN or infinite in score, bias or contribution.</summary>
    public long NotFinite { get; private set; }

    public long FirstNotFinite { get; private set; } = -1;

    public ErrorStatistics Errors { get; } = new();

    public IReadOnlyDictionary<(int Label, int Predicted), long> Confusions => confusions;

    /// <summary>Sums over the rows that explain an output first, by output; the outputs met first, as many as 64 MiB hold.</summary>
    public IEnumerable<KeyValuePair<int, ClassSums>> Classes => classes.OrderBy(c => c.Key);

    /// <summary>Sums over all rows.</summary>
    public ClassSums All { get; } = new(features, image);

    /// <summary>A uniform sample of rows of features: contributions, then values, then the row's number.</summary>
    public IReadOnlyList<float[]> Sample => sample.Rows;

    public void Add(ReportRow row, IReadOnlyList<ReportTarget> targets)
    {
        Rows++;
        if (row.Label is { } label)
        {
            Labelled++;
            if (label == row.Predicted) Right++;
            if (row.Predicted is { } predicted) confusions[(label, predicted)] = confusions.GetValueOrDefault((label, predicted)) + 1;
        }
        foreach (var target in targets)
            if (target.Output >= 0) Errors.Add(row.Number, target.Output, target.Score, target.Attribution.Span, target.Bias);
        if (targets.All(IsFinite)) AddSums(row, targets[0]);
        else if (NotFinite++ == 0) FirstNotFinite = row.Number;
    }

    private static bool IsFinite(ReportTarget target) => target.Output >= 0 && double.IsFinite((double)target.Score + target.Bias + ErrorStatistics.Sum(target.Attribution.Span));

    private void AddSums(ReportRow row, ReportTarget target)
    {
        // Of an image one number a pixel: contributions add up over channels, and its mean shows as grey.
        var values = image is null ? row.Values.Span : image.SumChannels(row.Values.Span);
        var attribution = image is null ? target.Attribution.Span : image.SumChannels(target.Attribution.Span);
        All.Add(values, attribution);
        if (!classes.TryGetValue(target.Output, out var sums) && classes.Count < Math.Max(1, ClassBudget / All.Bytes)) classes[target.Output] = sums = new(features, image);
        sums?.Add(values, attribution);
        if (image is not null) return;
        attribution.CopyTo(sampled);
        values.CopyTo(sampled.AsSpan(features));
        sampled[^1] = row.Number;
        sample.Add(sampled);
    }
}

/// <summary>Sums of contributions over rows; of images also of the pixels' shades.</summary>
internal sealed class ClassSums(int features, ImageShape? image)
{
    private readonly double[] sum = new double[features], absolute = new double[image is null ? features : 0], shades = new double[image is null ? 0 : features];

    public long Rows { get; private set; }

    public long Bytes => sizeof(double) * 2L * features;

    public void Add(ReadOnlySpan<float> values, ReadOnlySpan<float> attribution)
    {
        Rows++;
        for (var i = 0; i < sum.Length; i++) sum[i] += attribution[i];
        for (var i = 0; i < absolute.Length; i++) absolute[i] += Math.Abs(attribution[i]);
        if (shades.Length == 0) return;
        var (low, high) = HeatMap.Range(values);
        for (var i = 0; i < shades.Length; i++) shades[i] += HeatMap.Shade(values[i], low, high);
    }

    public float[] Mean() => Divided(sum);

    public float[] MeanAbsolute() => Divided(absolute);

    /// <summary>The mean of the images, in shades from 0 to 255.</summary>
    public float[] MeanImage() => Divided(shades);

    private float[] Divided(double[] sums) => [.. sums.Select(s => (float)(s / Rows))];
}
