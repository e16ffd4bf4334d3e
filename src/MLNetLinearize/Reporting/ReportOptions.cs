namespace MLNetLinearize.Reporting;

/// <summary>What a report says of itself, and how large it may become. All properties have defaults.</summary>
public sealed record ReportOptions
{
    /// <summary>The properties by name.</summary>
    public override string ToString() => RecordText.Of(this);

    /// <summary>The report's heading. Default: made from <see cref="Model"/>.</summary>
    public string? Title { get; init; }

    /// <summary>Name of the model, such as its file's. Default: "the network".</summary>
    public string? Model { get; init; }

    /// <summary>Name of the data, such as its file's. Default: none is told.</summary>
    public string? Data { get; init; }

    /// <summary>Column of the data view with each row's true class, as <see cref="Targets.FromColumn"/> takes it. Default: no labels.</summary>
    public string? LabelColumn { get; init; }

    /// <summary>One name for each element of the explained input. Default: the column's slot names, else positions.</summary>
    public IReadOnlyList<string>? FeatureNames { get; init; }

    /// <summary>
    /// Shape of the images that rows are: [H, W], [C, H, W] or [H, W, C] with 1 or 3 channels. Default: the explained
    /// input's own shape where it is one of these, else rows are tables of features.
    /// </summary>
    public IReadOnlyList<int>? ImageShape { get; init; }

    /// <summary>
    /// How faithful the explanations are, for a section of its own: what <see cref="Transforms.LinearizingTransformer.Evaluate"/>
    /// gives for some hundred of the rows. Default: no such section.
    /// </summary>
    public AttributionEvaluation? Evaluation { get; init; }

    /// <summary>
    /// Most bytes of the file for the explanations of single rows. When three quarters are used, only wrong rows'
    /// explanations are stored; the report tells what was left out. Statistics always count every row. Default: 64 MiB.
    /// </summary>
    public long MaxDetailBytes { get; init; } = 64L << 20;

    /// <summary>Most rows in the report's table, from the first; the report tells what was left out. Default: 100,000.</summary>
    public long MaxRows { get; init; } = 100_000;
}
