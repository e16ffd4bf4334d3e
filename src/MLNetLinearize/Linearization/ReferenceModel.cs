using Microsoft.ML.OnnxRuntime;
using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Runtime;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Linearization;

/// <summary>
/// The model as its file has it, in ONNX Runtime without optimizations: what the score of everything that is compiled of it is compared
/// with. A final activation that is cut there is cut here too, where the file has it as an operator of its own; else the score is squashed
/// before it is compared. Half precision is raised to float32, in which the library computes. One row a run.
/// </summary>
internal sealed class ReferenceModel : IDisposable
{
    /// <summary>The first operator set that ONNX Runtime runs.</summary>
    private const long FirstOpset = 7;

    private readonly InferenceSession session;
    private readonly string output;
    private readonly CutActivation? squash;

    private ReferenceModel(Graph graph, LinearizeOptions options, string output, CutActivation? squash)
    {
        (Graph, Options, this.output, this.squash) = (graph, options, output, squash);
        Inputs = InputPlan.All(graph.Inputs, options);
        session = Sessions.Create(ClassicalModels.Admitting(graph.ToModel()), new LinearizeOptions { Threads = options.Threads }, GraphOptimizationLevel.ORT_DISABLE_ALL);
    }

    /// <summary>The file's nodes that the score depends on.</summary>
    public Graph Graph { get; }

    public LinearizeOptions Options { get; }

    /// <summary>The explained tensor, or what its file has instead of it.</summary>
    public string Output => output;

    /// <summary>Its inputs, and how they are fed.</summary>
    public IReadOnlyList<InputPlan> Inputs { get; }

    /// <summary>Whether it holds double-precision numbers.</summary>
    public bool IsDouble { get; private init; }

    /// <summary>Why the scores are not those of the file itself; null where they are.</summary>
    public string? WhyRespelled { get; private init; }

    /// <exception cref="InvalidModelException">ONNX Runtime refuses the model.</exception>
    public static ReferenceModel Open(Request request, bool inSingle = false)
    {
        if (request.Opset < FirstOpset) return Respelled(request, $"ONNX Runtime runs no model of operator set {request.Opset}");
        // A tensor inside a function or a loop is none that the file's own graph could tell.
        if (request.Model.Graph.Node.All(n => !n.Output.Contains(request.Output))) return Respelled(request, $"'{request.Output}' is no tensor of the file's outer graph");
        try
        {
            return Of(new Graph(Tidying.Apply(request.Model)), request, inSingle, null);
        }
        catch (InvalidModelException e) when (e.InnerException is OnnxRuntimeException { Message: var why } && IsLacking(why))
        {
            // What the standard has and ONNX Runtime lacks, such as recurrences with rows first.
            return Respelled(request, $"ONNX Runtime does not run the model as it is: {why}");
        }
    }

    /// <summary>Whether ONNX Runtime says that it has no kernel for what the model asks for, rather than that the model is wrong.</summary>
    private static bool IsLacking(string why) => why.Contains("NotImplemented", StringComparison.Ordinal) || why.Contains("not supported", StringComparison.Ordinal);

    private static ReferenceModel Respelled(Request request, string why) => Of(request.Respelled(), request, inSingle: true, why);

    private static ReferenceModel Of(Graph graph, Request request, bool inSingle, string? whyRespelled)
    {
        var precisions = Precision.Found(graph);
        if (inSingle || precisions.Any(p => p != DataType.Double)) Precision.ToSingle(graph);
        var output = graph.Nodes.Find(n => n.Output.Contains(request.Output)) is { OpType: "ZipMap" } dictionary ? dictionary.Input[0] : request.Output;
        var cut = request.Cut is null ? null : FinalActivation.Cut(graph, output);
        var squash = cut?.Operator == request.Cut?.Operator ? null : request.Cut;
        graph.RemoveDead([output]);
        var read = graph.Nodes.SelectMany(Graph.Reads).ToHashSet();
        graph.Inputs.RemoveAll(i => !read.Contains(i.Name));
        graph.Outputs.Clear();
        graph.Outputs.Add(new ValueInfoProto { Name = output });
        return new(graph, request.Options, output, squash) { IsDouble = !inSingle && precisions.Contains(DataType.Double), WhyRespelled = whyRespelled };
    }

    /// <summary>The explained tensor of a row, by the model itself.</summary>
    /// <param name="row">Its inputs, in the types of the linearization graph.</param>
    /// <exception cref="OnnxRuntimeException">The model does not run on that row.</exception>
    public double[] Score(IReadOnlyDictionary<string, Array> row)
    {
        var values = Inputs.Select(i => OrtArrays.Wrap(Given(i, row), i.Dims)).ToList();
        try
        {
            using var results = Options.Watched(run => session.Run(run, [.. Inputs.Select(i => i.Name)], values, [output]));
            return Numbers(results[0]);
        }
        finally
        {
            foreach (var value in values) value.Dispose();
        }
    }

    /// <summary>Float tensors of a row, by the model itself, in its order.</summary>
    public IEnumerable<(string Name, double[] Values)> Tensors(IReadOnlyDictionary<string, Array> row, IEnumerable<string> names)
    {
        var model = Graph.Clone();
        model.Outputs.Clear();
        string[] fetched = [.. names];
        foreach (var name in fetched) model.Outputs.Add(new ValueInfoProto { Name = name });
        using var all = Sessions.Create(ClassicalModels.Admitting(model.ToModel()), new LinearizeOptions(), GraphOptimizationLevel.ORT_DISABLE_ALL);
        var values = Inputs.Select(i => OrtArrays.Wrap(Given(i, row), i.Dims)).ToList();
        try
        {
            using var results = Options.Watched(run => all.Run(run, [.. Inputs.Select(i => i.Name)], values, fetched));
            return [.. fetched.Zip(results).Where(r => r.Second.IsTensor && r.Second.GetTensorTypeAndShape().ElementDataType is Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Float or Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Double).Select(r => (r.First, Numbers(r.Second)))];
        }
        finally
        {
            foreach (var value in values) value.Dispose();
        }
    }

    /// <summary>A score as the model would show it.</summary>
    public double[] Shown(ReadOnlySpan<float> score)
    {
        var z = new double[score.Length];
        for (var i = 0; i < z.Length; i++) z[i] = score[i];
        if (squash is null) return z;
        var largest = z.Max();
        double[] shown = squash.Operator == "Sigmoid" ? [.. z.Select(v => 1 / (1 + Math.Exp(-v)))] : [.. z.Select(v => Math.Exp(v - largest))];
        if (squash.Operator == "Sigmoid" && !squash.IsNormalized) return shown;
        var sum = shown.Sum();
        return [.. shown.Select(v => squash.Operator == "LogSoftmax" ? Math.Log(v / sum) : v / sum)];
    }

    public void Dispose()
    {
        session.Dispose();
    }

    /// <summary>The elements of a tensor of numbers.</summary>
    /// <exception cref="InvalidModelException">It holds something else.</exception>
    public static double[] Numbers(OrtValue value) => (DataType)value.GetTensorTypeAndShape().ElementDataType switch
    {
        DataType.Float => [.. value.GetTensorDataAsSpan<float>().ToArray().Select(v => (double)v)],
        DataType.Double => value.GetTensorDataAsSpan<double>().ToArray(),
        var type => throw new InvalidModelException($"The explained output holds {type}, and only float numbers have a slope.") { IsModelSound = true },
    };

    /// <summary>An input in the type that the file takes; zeros where the linearization graph does not ask for it, since no score depends on its values.</summary>
    private static Array Given(InputPlan input, IReadOnlyDictionary<string, Array> row)
    {
        if (row.TryGetValue(input.Name, out var values) && values.GetType().GetElementType() == input.ElementType) return values;
        var converted = Array.CreateInstance(input.ElementType, input.Dims.Aggregate(1L, (a, d) => a * d));
        if (values is not null) Array.Copy(values, converted, values.Length);
        else if (converted is string[] texts) Array.Fill(texts, "");
        return converted;
    }
}
