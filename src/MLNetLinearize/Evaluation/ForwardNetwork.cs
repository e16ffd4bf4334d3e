using System.Runtime.InteropServices;
using MLNetLinearize.Linearization;
using MLNetLinearize.Onnx;

namespace MLNetLinearize.Evaluation;

/// <summary>
/// The network alone, taken out of its linearization graph: what to score changed rows with, to compile for another choice of
/// targets, and to randomise. A graph that was saved and loaded has it as well, where the model file is gone.
/// </summary>
internal sealed class ForwardNetwork
{
    private readonly LinearizationGraph source;
    private readonly ModelProto model;

    private ForwardNetwork(LinearizationGraph source, ModelProto model) => (this.source, this.model) = (source, model);

    /// <exception cref="InvalidOperationException">The graph explains by an inner tensor, or lacks the scores.</exception>
    public static ForwardNetwork Of(LinearizationGraph graph)
    {
        if (graph.ExplainedInputs.FirstOrDefault(e => graph.Inputs.All(i => i.Name != e.Name)) is { } inner)
            throw new InvalidOperationException($"An evaluation changes the model's inputs, but the score is explained by the inner tensor '{Printable.Text(inner.Name)}'. Explain by the model's inputs.");
        if (graph.Model.Graph.Output.All(o => o.Name != OutputNames.Score))
            throw new InvalidOperationException("An evaluation needs the scores of all outputs, which a saved model does not keep. Evaluate the transformer that Fit gave, before it is saved.");
        var forward = new Graph(graph.Model);
        forward.Outputs.RemoveAll(o => o.Name != OutputNames.Score);
        forward.Inputs.RemoveAll(i => i.Name == OutputNames.Label);
        forward.RemoveDead([OutputNames.Score]);
        return new(graph, forward.ToModel());
    }

    /// <summary>The linearization graph that explains, for each row, the output that its label names.</summary>
    public LinearizationGraph Explain(Nonlinearity nonlinearity)
    {
        var o = source.Options;
        return Compiler.Compile(model, new LinearizeOptions
        {
            ExplainedInputs = [.. source.ExplainedInputs.Select(i => i.Name)],
            ExplainedOutput = OutputNames.Score,
            Targets = Targets.FromColumn(OutputNames.Label),
            Nonlinearity = nonlinearity,
            BatchSize = o.BatchSize,
            MaxBytesPerRow = o.MaxBytesPerRow,
            GpuDeviceId = o.GpuDeviceId,
            FallbackToCpu = o.FallbackToCpu,
            Threads = o.Threads,
        });
    }

    /// <summary>Layers with stored weights, the last first: the node's name in the model and its weights.</summary>
    public IReadOnlyList<(string Name, IReadOnlyList<string> Weights)> Layers()
    {
        var stored = model.Graph.Initializer.Where(t => t.ElementType() == TensorProto.Types.DataType.Float && t.Count() > 1).Select(t => t.Name).ToHashSet();
        var makers = model.Graph.Node.SelectMany(n => n.Output.Select(o => (o, n))).ToDictionary(p => p.o, p => p.n);
        var seen = new HashSet<string>();
        var layers = new List<(string, IReadOnlyList<string>)>();
        foreach (var node in model.Graph.Node.Reverse())
        {
            var operands = node.OpType switch { "Conv" or "ConvTranspose" => node.Input.Skip(1).Take(1), "Gemm" => node.Input.Take(2), "MatMul" or "Einsum" => node.Input, _ => [] };
            // A weight may pass through operators that only arrange it.
            var weights = operands.Select(Origin).Where(w => stored.Contains(w) && seen.Add(w)).ToList();
            if (weights.Count > 0) layers.Add((node.Name.StartsWith(GraphNames.NetworkPrefix, StringComparison.Ordinal) ? node.Name[GraphNames.NetworkPrefix.Length..] : node.Name, weights));
        }
        return layers;

        string Origin(string tensor) => makers.TryGetValue(tensor, out var maker) && maker.OpType is "Transpose" or "Reshape" or "Identity" or "Squeeze" or "Unsqueeze" or "Slice" ? Origin(maker.Input[0]) : tensor;
    }

    /// <summary>The network with noise in the place of some weights: normal, with mean 0 and the weights' root mean square.</summary>
    public ForwardNetwork Randomize(IEnumerable<string> weights, Random random)
    {
        var changed = model.Clone();
        foreach (var name in weights)
        {
            var tensor = changed.Graph.Initializer.Single(t => t.Name == name);
            var values = tensor.ToSingle();
            var size = Math.Sqrt(values.Average(v => (double)v * v));
            for (var i = 0; i < values.Length; i++) values[i] = (float)(size * random.Normal());
            tensor.FloatData.Clear();
            tensor.RawData = Google.Protobuf.ByteString.CopyFrom(MemoryMarshal.AsBytes<float>(values));
        }
        return new(source, changed);
    }
}
