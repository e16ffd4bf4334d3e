namespace MLNetLinearize;

/// <summary>What to explain, and under which column names. All properties have defaults that suit a classifier with one input.</summary>
public sealed record LinearizeOptions
{
    /// <summary>The properties by name.</summary>
    public override string ToString() => RecordText.Of(this);

    /// <summary>Column that feeds the model's only input. Default: the column named as that input.</summary>
    public string? InputColumn { get; init; }

    /// <summary>Columns for a model of several inputs: ONNX input name → column name. Default: the same name.</summary>
    public IReadOnlyDictionary<string, string>? InputColumns { get; init; }

    /// <summary>
    /// The fitted stages that make the model's input. With them the score is explained by the columns that go into those
    /// stages: one vector of all their slots, named <c>Age</c> and, of a column that is a vector, <c>Colours.Red</c>. They
    /// are what Linearize reads then, so it stands on data that has them still. Default: the model's input explains.
    /// </summary>
    public FittedPreprocessing? Preprocessing { get; init; }

    /// <summary>
    /// Sizes for inputs whose inner dimensions the model leaves open: ONNX input name → shape, the batch dimension included. Its
    /// value is ignored, but where <see cref="ExplainedInputs"/> names others: a first dimension above 1 then counts what belongs
    /// to one row, such as the regions of its image.
    /// </summary>
    public IReadOnlyDictionary<string, IReadOnlyList<int>>? InputShapes { get; init; }

    /// <summary>Tensors to explain the score by: model inputs, or one inner tensor. Default: every float input. The others are constants of the row; their share is in the bias.</summary>
    public IReadOnlyList<string>? ExplainedInputs { get; init; }

    /// <summary>Tensor to explain: an output or any inner tensor. Default: the first float output, before a final Softmax, LogSoftmax or Sigmoid.</summary>
    public string? ExplainedOutput { get; init; }

    /// <summary>Which outputs each row explains. Default: <see cref="Targets.Predicted"/>.</summary>
    public Targets Targets { get; init; } = Targets.Predicted;

    /// <summary>How smooth operators become affine. Default: <see cref="Nonlinearity.Tangent"/>.</summary>
    public Nonlinearity Nonlinearity { get; init; } = Nonlinearity.Tangent;

    /// <summary>Names of the outputs, in order, for slot names and reports; also what a text label column of <see cref="Targets.FromColumn"/> is matched with.</summary>
    public IReadOnlyList<string>? ClassNames { get; init; }

    /// <summary>
    /// A column that tells <see cref="ClassNames"/>: its slot names, as of a Score column, or its key values, as of a key that
    /// the network was trained on. The i-th names output i. It must be there at Fit; the names are kept. Default: none.
    /// </summary>
    public string? ClassNamesColumn { get; init; }

    /// <summary>Keep only this many largest contributions (by absolute value) per target, as a sparse vector. Default: all. The error is computed before.</summary>
    public int? TopFeatures { get; init; }

    /// <summary>Name of the column W∘x. Null leaves the column out.</summary>
    public string? AttributionColumn { get; init; } = "Attribution";

    /// <summary>Name of the column b. Null leaves the column out.</summary>
    public string? BiasColumn { get; init; } = "Bias";

    /// <summary>Name of the column of weight rows W. Null leaves the column out.</summary>
    public string? WeightsColumn { get; init; } = "Weights";

    /// <summary>Name of the column of explained output indices. Null leaves the column out.</summary>
    public string? ExplainedTargetColumn { get; init; } = "ExplainedTarget";

    /// <summary>Name of the column of explained scores F_c(x). Null leaves the column out.</summary>
    public string? ExplainedScoreColumn { get; init; } = "ExplainedScore";

    /// <summary>Name of the column <c>|F − (Σ attribution + b)| / max(1, |F|)</c>. Null leaves the column out.</summary>
    public string? LinearizationErrorColumn { get; init; } = "LinearizationError";

    /// <summary>
    /// Name of a column with the attribution summed over the slots of each original column, which the slot names tell:
    /// <c>City.Paris</c> and <c>City.Rome</c> count for <c>City</c>, up to the first dot. A column without slot names is one
    /// original column; a slot without a name stands for itself. Default: null, no such column.
    /// </summary>
    public string? GroupedAttributionColumn { get; init; }

    /// <summary>
    /// Rows of a batch, which the threads share. Default: for each thread a power of two up to 256, counted from the network's
    /// activations so that a run stays in a core's cache, and so that a cursor's buffers stay within 64 MiB.
    /// </summary>
    public int? BatchSize { get; init; }

    /// <summary>Largest output of one row, in bytes, that is accepted. Default: 64 MiB.</summary>
    public long MaxBytesPerRow { get; init; } = 64L << 20;

    /// <summary>
    /// Folder in which compiled graphs are kept, so that the same model with the same options need not be compiled again, in
    /// this process or another. It is made where it is missing; an entry that is damaged, or that another version of the
    /// library wrote, is compiled anew. Not used with <see cref="Preprocessing"/>. Default: null, no cache.
    /// </summary>
    public string? CacheDirectory { get; init; }

    /// <summary>
    /// Most steps that are unrolled: of the sequence of a recurrent cell (RNN, GRU, LSTM), of Loop and Scan, and of CumProd. Each
    /// step becomes nodes of its own, a hundred or so with their adjoint, so that compiling grows with it. Default: 1,000.
    /// </summary>
    public int MaxUnrolledSteps { get; init; } = 1_000;

    /// <summary>What compiling may take at most: nodes, elements, bytes, time.</summary>
    public CompilationLimits Limits { get; init; } = new();

    /// <summary>CUDA device to run on. Default: the CPU.</summary>
    public int? GpuDeviceId { get; init; }

    /// <summary>Whether to run on the CPU when the GPU cannot be used; otherwise that is an error.</summary>
    public bool FallbackToCpu { get; init; }

    /// <summary>
    /// Threads that explain: a batch is shared by its rows, a single row by its targets or operators where it is much work. Single rows that
    /// several callers explain at the same time take a thread each. Default: one per processor.
    /// </summary>
    public int? Threads { get; init; }

    /// <summary>
    /// Where <see cref="Transforms.LinearizingEstimator.Fit"/> tells what is worth knowing of the compiled network (<see cref="CompilationReport.Notes"/>, and
    /// why it runs row by row): an <c>MLContext</c>, whose event <c>Log</c> hands it on. Default: nowhere.
    /// </summary>
    public Microsoft.ML.Runtime.IHostEnvironment? Log { get; init; }

    /// <summary>Ends a compilation that is under way, with an <see cref="OperationCanceledException"/>; what is compiled already stays. Default: none.</summary>
    public CancellationToken CancellationToken { get; init; }

    /// <summary>The limits of a compilation that is under way.</summary>
    internal Runtime.CompilationWatch? Watch { get; init; }

    /// <summary>Whether the network makes whole numbers, such as indices into a table, of a float input: it is sampled between −1 and 1 then, which become 0.</summary>
    internal bool HoldsWholeNumbers { get; init; }
}
