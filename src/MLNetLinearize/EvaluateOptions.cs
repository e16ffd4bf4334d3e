namespace MLNetLinearize;

/// <summary>How attributions are judged. All properties have defaults; the random choices among them are the same in every run.</summary>
public sealed class EvaluateOptions
{
    /// <summary>
    /// Value that a removed element takes, for all elements alike, after the data's own scaling. Default: 0, against which
    /// contributions W∘x are measured.
    /// </summary>
    public float Baseline { get; init; }

    /// <summary>Value that each element takes when it is removed, such as the mean of the data: one for each element of the explained inputs, one input after the other. Default: <see cref="Baseline"/> for all.</summary>
    public IReadOnlyList<float>? BaselineRow { get; init; }

    /// <summary>What is removed and kept as one. Default: <see cref="EvaluationUnit.Pixel"/> where the one explained input is an image, else <see cref="EvaluationUnit.Element"/>.</summary>
    public EvaluationUnit? Unit { get; init; }

    /// <summary>Shape of the images, [H, W], [C, H, W] or [H, W, C] with 1 or 3 channels, where the network takes them as a line of numbers. Default: the shape of the explained input.</summary>
    public IReadOnlyList<int>? ImageShape { get; init; }

    /// <summary>
    /// In what the curves are measured. Default: <see cref="EvaluationScale.Sigmoid"/> where the network ends in a Sigmoid;
    /// else <see cref="EvaluationScale.Score"/> for one output and <see cref="EvaluationScale.Softmax"/> for several.
    /// </summary>
    public EvaluationScale? Scale { get; init; }

    /// <summary>Most steps of the deletion and insertion curves; each takes the same number of units, up to rounding. Default: 50.</summary>
    public int Steps { get; init; } = 50;

    /// <summary>Shares of the units that comprehensiveness and sufficiency take out or keep. Default: 1, 5, 10, 20 and 50 %, as in ERASER.</summary>
    public IReadOnlyList<double> Shares { get; init; } = [0.01, 0.05, 0.1, 0.2, 0.5];

    /// <summary>Random perturbations of each row for the infidelity; 0 leaves it out. Default: 50.</summary>
    public int InfidelitySamples { get; init; } = 50;

    /// <summary>Probability with which such a perturbation removes each unit. Default: 0.1.</summary>
    public double RemovedShare { get; init; } = 0.1;

    /// <summary>Random neighbours of each row for the max-sensitivity; 0 leaves it out. Default: 10.</summary>
    public int SensitivitySamples { get; init; } = 10;

    /// <summary>How far an element of a neighbour may lie from the row's, as a share of the row's largest absolute value. Default: 0.02.</summary>
    public double SensitivityRadius { get; init; } = 0.02;

    /// <summary>Units of each row whose contribution is compared with central differences of the network; 0 leaves it out. Default: 64.</summary>
    public int GradientSamples { get; init; } = 64;

    /// <summary>Explanations that are compared with those of randomised networks: the first ones; 0 leaves it out. Default: 16.</summary>
    public int RandomizedRows { get; init; } = 16;

    /// <summary>Most steps in which the layers are randomised, from the last to the first. Default: 8.</summary>
    public int RandomizedStages { get; init; } = 8;

    /// <summary>Seed of all random choices. Default: 1.</summary>
    public int Seed { get; init; } = 1;
}

/// <summary>What an evaluation removes and keeps as one; its contribution is the sum of its elements'.</summary>
public enum EvaluationUnit
{
    /// <summary>Each element of the explained inputs by itself.</summary>
    Element,

    /// <summary>All channels of a pixel.</summary>
    Pixel,

    /// <summary>All slots of an original column, which the slot names tell: <c>City.Paris</c> and <c>City.Rome</c> are <c>City</c>.</summary>
    Column,
}

/// <summary>In what curves, comprehensiveness and sufficiency are measured.</summary>
public enum EvaluationScale
{
    /// <summary>The explained score itself.</summary>
    Score,

    /// <summary>Its probability among all outputs of the row, <c>exp F_c / Σ exp F</c>.</summary>
    Softmax,

    /// <summary>Its probability by itself, <c>1 / (1 + exp −F_c)</c>.</summary>
    Sigmoid,
}
