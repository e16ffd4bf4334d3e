using System.CommandLine;
using MLNetLinearize.Linearization;
using MLNetLinearize.Onnx;

namespace MLNetLinearize.Cli.Commands;

/// <summary>Arguments about the model, the same in every command.</summary>
internal sealed class ModelOptions
{
    /// <summary>ONNX Runtime starts as many threads as it is told to, and ends the process where the system has no more.</summary>
    private const int MostThreads = 1024;

    public Argument<string> Model { get; } = new("MODEL") { Description = "The network, an ONNX file." };

    public Option<string?> ExplainedOutput { get; } = new("--explained-output", "--to") { HelpName = "TENSOR", Description = "Tensor to explain. Default: the first float output, before a final Softmax, LogSoftmax or Sigmoid." };

    public Option<string[]> ExplainedInput { get; } = new("--explained-input", "--from") { HelpName = "TENSOR", Description = "Tensor to explain it by. May be given several times. Default: the network's input.", DefaultValueFactory = _ => [] };

    public Option<string> Nonlinearity { get; } = new Option<string>("--nonlinearity") { HelpName = "tangent|frozen", Description = "How smooth operators become affine: their tangent, or their slope from zero. Networks of Relu, MaxPool and the like give the same either way.", DefaultValueFactory = _ => "tangent" }.AcceptOnlyFromAmong("tangent", "frozen");

    public Option<string[]> InputShape { get; } = new("--input-shape") { HelpName = "NAME=1,3,H,W", Description = "Shape of an input whose sizes the model leaves open, the batch axis included.", DefaultValueFactory = _ => [] };

    public Option<long?> MaxBytesPerRow { get; } = new Option<long?>("--max-bytes-per-row") { HelpName = "B", Description = "Refuse to explain when one row's result is larger. Default: 64 MiB." }.Between(1);

    public Option<int?> MaxUnrolledSteps { get; } = new Option<int?>("--max-unrolled-steps") { HelpName = "S", Description = "Refuse a recurrent cell, loop or scan of more steps: each becomes nodes of its own. Default: 1000." }.Between(1);

    public Option<int?> Threads { get; } = new Option<int?>("--threads") { HelpName = "T", Description = "Most threads that explain. Default: one per processor." }.Between(1, MostThreads);

    public Option<string?> Cache { get; } = new("--cache") { HelpName = "DIR", Description = "Folder to keep the compiled network in, so that the next command need not compile it again. Default: none." };

    public void AddTo(Command command)
    {
        command.Add(Model);
        foreach (Option option in new Option[] { ExplainedOutput, ExplainedInput, Nonlinearity, InputShape, MaxBytesPerRow, MaxUnrolledSteps, Threads, Cache }) command.Add(option);
    }

    /// <summary>The files that these arguments name.</summary>
    public IEnumerable<NamedPath> Files(ParseResult result) => [new("MODEL", result.GetValue(Model)), new("--cache", result.GetValue(Cache), MayBeFolder: true)];

    /// <summary>The files beside the model that hold its weights. A model that cannot be read has none: why it cannot is told when it is compiled.</summary>
    public IEnumerable<NamedPath> ExternalFiles(ParseResult result)
    {
        try
        {
            return [.. OnnxFile.ExternalFiles(result.GetValue(Model)!).Select(file => new NamedPath("the weights of MODEL,", file))];
        }
        catch (Exception e) when (e is InvalidModelException or IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>The inputs that rows of data are cut into, one after the other, once the model is compiled for data; none where the model takes one.</summary>
    public IReadOnlyList<InputPart> Parts { get; private set; } = [];

    /// <summary>The tensors that the score is explained by, where they are several; none else.</summary>
    public IReadOnlyList<ExplainedPart> ExplainedParts { get; private set; } = [];

    /// <summary>Whether the explained scores are those of the classes that labels name, once the model is compiled.</summary>
    public bool HasClasses { get; private set; } = true;

    /// <summary>Compiles the model to be fed with rows of data, several inputs joined to one.</summary>
    public LinearizationGraph CompileForData(ParseResult result, Targets targets, IReadOnlyList<string>? classNames) => Compile(result, targets, classNames, (model, options) =>
    {
        (model, options) = Join(model, options);
        return Compiler.Compile(model, options);
    });

    /// <summary>Compiles the model. What its file or the arguments are to blame for is told from what cannot be explained.</summary>
    /// <param name="result">The arguments.</param>
    /// <param name="targets">What to explain.</param>
    /// <param name="classNames">Names of the outputs.</param>
    /// <param name="keepsSession">As in <see cref="Compiler.Compile(ModelProto, LinearizeOptions, bool)"/>.</param>
    public LinearizationGraph Compile(ParseResult result, Targets targets, IReadOnlyList<string>? classNames = null, bool keepsSession = false) =>
        Compile(result, targets, classNames, (model, options) => Compiler.Compile(model, options, keepsSession));

    private LinearizationGraph Compile(ParseResult result, Targets targets, IReadOnlyList<string>? classNames, Func<ModelProto, LinearizeOptions, LinearizationGraph> compile)
    {
        var (options, model) = (Read(result, targets, classNames), OnnxFile.Read(result.GetValue(Model)!));
        HasClasses = ClassScores.Are(model, options.ExplainedOutput);
        try
        {
            return compile(model, options);
        }
        catch (InvalidModelException e) when (options is { ExplainedInputs: null, ExplainedOutput: null, InputShapes.Count: 0, Targets.Kind: TargetKind.Predicted } && e.IsModelSound)
        {
            throw new ModelRefusedException(e.Message);
        }
    }

    /// <summary>Compiles the model to be explained by every layer.</summary>
    public LayerLinearizer CompileLayers(ParseResult result, Targets targets, IReadOnlyList<string>? classNames)
    {
        var (model, options) = Join(OnnxFile.Read(result.GetValue(Model)!), Read(result, targets, classNames));
        return new(model, options);
    }

    private (ModelProto Model, LinearizeOptions Options) Join(ModelProto model, LinearizeOptions options)
    {
        (model, options, Parts) = JoinedInputs.Join(model, options);
        (model, options, ExplainedParts) = JoinedParts.Join(model, options);
        return (model, options);
    }

    private LinearizeOptions Read(ParseResult result, Targets targets, IReadOnlyList<string>? classNames) => new()
    {
        Targets = targets,
        ClassNames = classNames,
        ExplainedOutput = result.GetValue(ExplainedOutput),
        ExplainedInputs = result.GetValue(ExplainedInput) is { Length: > 0 } names ? names : null,
        Nonlinearity = result.GetValue(Nonlinearity) == "frozen" ? MLNetLinearize.Nonlinearity.Frozen : MLNetLinearize.Nonlinearity.Tangent,
        InputShapes = result.GetValue(InputShape)!.Select(Shape).ToDictionary(s => s.Name, s => s.Shape),
        MaxBytesPerRow = result.GetValue(MaxBytesPerRow) ?? new LinearizeOptions().MaxBytesPerRow,
        MaxUnrolledSteps = result.GetValue(MaxUnrolledSteps) ?? new LinearizeOptions().MaxUnrolledSteps,
        Threads = result.GetValue(Threads),
        CacheDirectory = result.GetValue(Cache),
    };

    private static (string Name, IReadOnlyList<int> Shape) Shape(string text)
    {
        var (name, sizes) = text.LastIndexOf('=') is > 0 and var at ? (text[..at], text[(at + 1)..].Split(',')) : (text, []);
        var shape = sizes.Select(s => int.TryParse(s, out var v) && v > 0 ? v : -1).ToArray();
        return shape.Length > 0 && !shape.Contains(-1) ? (name, shape) : throw new InputException($"--input-shape '{text}': expected NAME=sizes with a comma between, such as image=1,3,224,224.");
    }
}
