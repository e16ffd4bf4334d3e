using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Canonicalization;

/// <summary>Many spellings of a network to one: first the operators' names and attributes, then shapes, constants and the batch axis.</summary>
internal static class Canonicalizer
{
    /// <summary>Rewrites operators only; nothing is run, so that a model no runtime opens can still be refused by name.</summary>
    /// <param name="graph">Rewritten in place.</param>
    /// <param name="named">Tensors the user named, which must keep existing.</param>
    /// <returns>What is worth telling of it, one sentence each.</returns>
    public static IReadOnlyList<string> Respell(Graph graph, IReadOnlyCollection<string> named)
    {
        NameNodes(graph);
        OpsetRaise.Apply(graph, hasWideQuantization: QuantizedOperators.Standardize(graph));
        var notes = ClassicalModels.Respell(graph);
        QuantizedTypes.DropCasts(graph);
        OtherSpellings.GiveScalars(graph);
        FusedOperators.Split(graph, named);
        return notes;
    }

    /// <summary>Probes shapes and simplifies. Batches where the network allows it, else one row a run.</summary>
    /// <param name="graph">The respelled network; consumed.</param>
    /// <param name="output">The tensor to explain.</param>
    /// <param name="explained">What explains it.</param>
    /// <param name="options">Input shapes and the limit of unrolling.</param>
    /// <param name="oneRowReason">A reason to run row by row that is already known, or null.</param>
    /// <param name="keepsLayers">Whether every layer stays where the model has it, because people look at it.</param>
    public static CanonicalNetwork Settle(Graph graph, string output, IReadOnlyList<string> explained, LinearizeOptions options, string? oneRowReason, bool keepsLayers = false)
    {
        graph.RemoveDead([output]);
        string[] kept = [output, .. options.ExplainedInputs ?? []];
        if (!keepsLayers) PoolOrder.Apply(graph, kept);
        if (options.InputShapes?.Keys.FirstOrDefault(n => graph.Inputs.All(i => i.Name != n)) is { } unknown)
            throw new InvalidModelException($"InputShapes names '{unknown}', but the model's inputs are [{string.Join(", ", graph.Inputs.Select(i => i.Name))}].");
        // What the score does not depend on, such as the label that an exporter kept, is not asked for.
        var read = graph.Nodes.SelectMany(Graph.Reads).ToHashSet();
        graph.Inputs.RemoveAll(i => !read.Contains(i.Name));
        var inputs = InputPlan.All(graph.Inputs, options);
        WriteOut(graph, inputs, output, explained, options);
        ShapeLimits.Check(graph, inputs.Select(i => (i.Name, i.Dims)), options.Limits);
        oneRowReason ??= inputs.FirstOrDefault(i => !i.CanBatch) is { } fixedInput ? $"input '{fixedInput.Name}' has no batch axis" : null;
        if (oneRowReason is null)
        {
            var batched = graph.Clone();
            BatchAxis.Open(batched, inputs);
            using var rows = new ShapeProbe(batched, Simplification.Foldable(batched), options);
            var one = RunOneRow(rows, batched, inputs);
            Dictionary<string, TensorFact>? two = null;
            try
            {
                two = rows.Run(Sample(inputs, 2));
            }
            catch (Microsoft.ML.OnnxRuntime.OnnxRuntimeException)
            {
                oneRowReason = "it does not run on two rows at once";
            }
            if (two is not null && BatchAxis.Shapes(batched, one, two, output, out oneRowReason) is { } shapes)
                return Network(batched, one, two, shapes, null);
        }
        BatchAxis.Pin(graph, inputs);
        using var probe = new ShapeProbe(graph, Simplification.Foldable(graph), options);
        var facts = RunOneRow(probe, graph, inputs);
        return Network(graph, facts, facts, facts.ToDictionary(f => f.Key, f => new TensorShape(f.Value.Dims, -1)), oneRowReason);

        CanonicalNetwork Network(Graph settled, Dictionary<string, TensorFact> one, Dictionary<string, TensorFact> two, Dictionary<string, TensorShape> shapes, string? reason)
        {
            Simplification.FoldConstants(settled, one, two);
            if (!keepsLayers) ChannelFolding.Apply(settled, shapes, kept);
            return Simplified(settled, inputs, output, one, shapes, reason);
        }
    }

    /// <summary>A settled network to which nodes were added that read a new input of one vector a row: the same graph, with the shapes of those nodes as well; null where they do not fit a batch.</summary>
    /// <param name="network">The network.</param>
    /// <param name="vector">Name of the new input, [N, length]; the graph does not declare it.</param>
    /// <param name="length">Its length.</param>
    public static CanonicalNetwork? Measured(CanonicalNetwork network, string vector, long length)
    {
        var batched = network.RowByRowReason is null;
        var input = new InputPlan(vector, typeof(float), [1, length], CanBatch: true, IsFixedAtOne: false);
        var added = network.Graph.Clone();
        added.Inputs.Add(Graph.Value(vector, DataType.Float, [batched ? BatchAxis.Symbol : 1L, length]));
        List<InputPlan> inputs = [.. network.Inputs, input];
        using var probe = new ShapeProbe(added, new HashSet<string>(), new());
        var one = probe.Run(Sample(inputs, 1));
        var shapes = batched
            ? BatchAxis.Shapes(added, one, probe.Run(Sample(inputs, 2)), network.Output, out _)
            : one.ToDictionary(f => f.Key, f => new TensorShape(f.Value.Dims, -1));
        return shapes is null ? null : new CanonicalNetwork(network.Graph, network.Inputs, network.Output, shapes, one.ToDictionary(f => f.Key, f => f.Value.Type), network.RowByRowReason);
    }

    /// <summary>One run of the network as the file has it, on one row.</summary>
    /// <exception cref="InvalidModelException">It does not run.</exception>
    public static IReadOnlyDictionary<string, TensorFact> Run(Graph graph, LinearizeOptions options) =>
        RunPinned(graph, InputPlan.All(graph.Inputs, options), options);

    /// <summary>What takes shapes to write out is written out once they are known, from one run of the network as it is.</summary>
    private static void WriteOut(Graph graph, List<InputPlan> inputs, string output, IReadOnlyList<string> explained, LinearizeOptions options)
    {
        var found = Expansions.Find(graph, explained, output);
        if (found.Count > 0) Expansions.Apply(graph, found, RunPinned(graph, inputs, options), options.MaxUnrolledSteps);
        new NodeBudget(options.Limits).Check(graph);
    }

    private static Dictionary<string, TensorFact> RunPinned(Graph graph, List<InputPlan> inputs, LinearizeOptions options)
    {
        ShapeLimits.Check(graph, inputs.Select(i => (i.Name, i.Dims)), options.Limits);
        var pinned = graph.Clone();
        BatchAxis.Pin(pinned, inputs);
        using var probe = new ShapeProbe(pinned, Simplification.Foldable(pinned), options);
        return RunOneRow(probe, pinned, inputs);
    }

    private static CanonicalNetwork Simplified(Graph graph, List<InputPlan> inputs, string output, Dictionary<string, TensorFact> one, Dictionary<string, TensorShape> shapes, string? oneRowReason)
    {
        Simplification.FixReshapes(graph, shapes);
        Simplification.FixSlices(graph, shapes);
        graph.RemoveDead([output]);
        foreach (var (name, tensor) in graph.Initializers)
            if (!shapes.ContainsKey(name)) shapes[name] = new TensorShape([.. tensor.Dims], -1);
        var types = one.ToDictionary(f => f.Key, f => f.Value.Type);
        foreach (var (name, tensor) in graph.Initializers) types[name] = tensor.ElementType();
        return new CanonicalNetwork(graph, inputs, output, shapes, types, oneRowReason);
    }

    /// <exception cref="InvalidModelException">The network does not run, or has tensors without elements.</exception>
    private static Dictionary<string, TensorFact> RunOneRow(ShapeProbe probe, Graph graph, List<InputPlan> inputs)
    {
        Dictionary<string, TensorFact> facts;
        try
        {
            facts = probe.Run(Sample(inputs, 1));
        }
        catch (Microsoft.ML.OnnxRuntime.OnnxRuntimeException) when (inputs.Any(MayBeZeros))
        {
            for (var i = 0; i < inputs.Count; i++) inputs[i] = inputs[i] with { IsSampledAsZeros = MayBeZeros(inputs[i]) };
            return RunOneRow(probe, graph, inputs);
        }
        catch (Microsoft.ML.OnnxRuntime.OnnxRuntimeException e)
        {
            throw new InvalidModelException($"The model does not run on a sample row ({string.Join(", ", inputs.Select(i => $"{i.Name} [{string.Join(", ", i.Dims)}]"))}): {Runtime.Sessions.Told(e)} Check the input shapes (InputShapes), and that shapes, axes and sizes inside the model are constants.", e);
        }
        EmptyOperands.LeaveOut(graph, facts);
        return facts;
    }

    private static bool MayBeZeros(InputPlan input) => input.IsParameter && input.ElementType == typeof(float) && !input.IsSampledAsZeros;

    private static List<(string, Array, long[])> Sample(List<InputPlan> inputs, int rows) => [.. inputs.Select((p, i) => p.Sample(rows, seed: 7 + i))];

    /// <summary>ONNX Runtime needs unique node names, and errors and reports need a name at all.</summary>
    private static void NameNodes(Graph graph)
    {
        var seen = new HashSet<string>();
        foreach (var node in graph.Nodes)
            if (node.Name.Length == 0 || !seen.Add(node.Name))
                seen.Add(node.Name = graph.Fresh(node.Name.Length > 0 ? node.Name : node.Output.FirstOrDefault(o => o.Length > 0) ?? node.OpType));
    }
}
