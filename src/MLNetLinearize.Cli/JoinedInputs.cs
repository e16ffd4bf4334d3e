using MLNetLinearize.Canonicalization;
using MLNetLinearize.Linearization;
using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Cli;

/// <summary>
/// A model of several inputs as one of a single input, a line of float32 that is cut into the others: a row of a table is
/// such a line. Everything behind the compiler then has one kind of network to explain, draw, judge and resume.
/// </summary>
internal static class JoinedInputs
{
    /// <summary>Split and Reshape of earlier operator sets are spelled in other ways, and ONNX Runtime runs none of them.</summary>
    private const long OldestOpset = 7;

    /// <summary>From this operator set on, Split takes its sizes as an input.</summary>
    private const long SplitTakesInput = 13;

    /// <param name="model">The model.</param>
    /// <param name="options">What to explain of it.</param>
    /// <returns>The model with the inputs that the explained output depends on joined, the options that go with it, and what became of each input: as they were, and none, where there is but one.</returns>
    /// <exception cref="InputException">An input cannot be fed from a table of numbers.</exception>
    public static (ModelProto Model, LinearizeOptions Options, IReadOnlyList<InputPart> Parts) Join(ModelProto model, LinearizeOptions options)
    {
        var graph = new Graph(model);
        if (graph.Inputs.Count < 2) return (model, options, []);
        var (network, request) = Compiler.Guard(model, options, (watched, _) => Compiler.Open(model, watched));
        var read = ValueFlow.Behind(network, request.Output);
        var joined = graph.Inputs.Where(i => read.Contains(i.Name)).ToList();
        if (joined.Count < 2) return (model, options, []);
        if (graph.Opset < OldestOpset) throw new InputException($"The model takes several inputs and is of operator set {graph.Opset}; the command line joins inputs from {OldestOpset} on. Convert the model to a later one.");

        // Texts stay inputs of their own.
        var all = InputPlan.All(joined, options);
        var parts = new List<InputPart>();
        var texts = new List<InputPart>();
        foreach (var input in all.Select(p => p.ToGraphInput(true)))
        {
            var list = input.ElementType == typeof(string) ? texts : parts;
            list.Add(new(input.Name, input.ElementType, input.RowShape, input.HasBatchAxis, list.Sum(p => p.Length)));
        }
        joined.RemoveAll(i => texts.Any(t => t.Name == i.Name));
        var plans = all.Where(p => p.ElementType != typeof(string)).ToList();

        graph.Inputs.RemoveAll(joined.Contains);
        var line = graph.Fresh("inputs");
        graph.Inputs.Insert(0, Graph.Value(line, DataType.Float, [plans.Any(p => p.IsFixedAtOne) ? 1L : BatchAxis.Symbol, parts.Sum(p => (long)p.Length)]));
        graph.Nodes = [.. Cut(graph, line, parts, [.. joined.Select(i => (DataType)i.Type.TensorType.ElemType)]), .. graph.Nodes];
        return (graph.ToModel(), options with
        {
            InputShapes = options.InputShapes?.Where(s => parts.TrueForAll(p => p.Name != s.Key)).ToDictionary(s => s.Key, s => s.Value),
            HoldsWholeNumbers = parts.Any(p => p.IsWhole),
        }, [.. parts, .. texts]);
    }

    /// <summary>The nodes that make each input of its stretch of the line.</summary>
    private static IEnumerable<NodeProto> Cut(Graph graph, string line, IReadOnlyList<InputPart> parts, IReadOnlyList<DataType> types)
    {
        string[] stretches = [.. parts.Select(p => graph.Fresh($"{p.Name}/line"))];
        long[] lengths = [.. parts.Select(p => (long)p.Length)];
        var name = graph.Fresh("inputs/split");
        yield return graph.Opset < SplitTakesInput
            ? Nodes.Create("Split", [line], stretches, name, ("axis", 1), ("split", lengths))
            : Nodes.Create("Split", [line, graph.AddInitializer(Tensors.Of("inputs/lengths", lengths, lengths.Length))], stretches, name, ("axis", 1));
        foreach (var ((part, type), stretch) in parts.Zip(types).Zip(stretches))
        {
            long[] shape = [.. part.HasBatchAxis ? [-1L] : Array.Empty<long>(), .. part.RowShape.Select(d => (long)d)];
            var shaped = type == DataType.Float ? part.Name : graph.Fresh($"{part.Name}/shaped");
            yield return Nodes.Create("Reshape", [stretch, graph.AddInitializer(Tensors.Of($"{part.Name}/shape", shape, shape.Length))], [shaped], graph.Fresh($"{part.Name}/reshape"));
            if (type != DataType.Float) yield return Nodes.Create("Cast", [shaped], [part.Name], graph.Fresh($"{part.Name}/cast"), ("to", (int)type));
        }
    }
}
