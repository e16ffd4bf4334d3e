using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Rules;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Linearization;

/// <summary>
/// A model to one graph that explains the score by every layer at once. The reverse pass makes the cotangent of every
/// tensor on its way to the input, and the bias node by node, so that each layer costs one product and one sum more.
/// </summary>
internal static class LayerCompiler
{
    /// <returns>A graph with the outputs Score, ExplainedTarget and ExplainedScore, and LayerAttribution and LayerBias for each layer; and the layers, input first.</returns>
    /// <exception cref="InvalidModelException">The model or an option is wrong.</exception>
    /// <exception cref="UnsupportedOperatorException">Operators on the way have no rule.</exception>
    public static (LinearizationGraph Graph, IReadOnlyList<NetworkLayer> Layers) Compile(ModelProto model, LinearizeOptions options) => Compiler.Guard(options, () =>
    {
        var (graph, request) = Compiler.Open(model, options);
        var batched = Build(Canonicalizer.Settle(graph.Clone(), request.Output, options, null), request);
        if (batched.Graph.IsRowByRow || BatchProof.Objection(batched.Graph) is not { } mixing) return batched;
        return Build(Canonicalizer.Settle(graph, request.Output, options, mixing), request);
    });

    private static (LinearizationGraph Graph, IReadOnlyList<NetworkLayer> Layers) Build(CanonicalNetwork network, Request request)
    {
        var (output, options) = (request.Output, request.Options);
        var active = Compiler.Active(network, request);
        var report = Compiler.Report(network, request, active);
        var inputs = network.Inputs.Select(i => i.ToGraphInput(request.Explained.Contains(i.Name))).ToList();
        var explained = request.Explained.Select(name => inputs.FirstOrDefault(i => i.Name == name) ?? Compiler.Inner(network, name)).ToList();
        var batched = network.RowByRowReason is null;
        if (options.Targets.Kind == TargetKind.FromColumn) inputs.Add(Compiler.AddLabel(network, batched));

        var count = checked((int)network.Shape(output).Count);
        var targets = TargetSeed.Count(options.Targets, count);
        var e = new Emitter(network.Graph, GraphNames.Prefix);
        var finish = new Finish(network, e, targets);
        var names = new GraphNames(network.Graph);
        var operators = network.Graph.Nodes.SelectMany(n => n.Output.Select(o => (Tensor: o, n.OpType))).ToLookup(n => n.Tensor, n => n.OpType);
        var score = names.Output(OutputNames.Score, finish.Score(output), [count]);
        var seed = TargetSeed.Emit(e, options.Targets, score, count);
        names.Output(OutputNames.ExplainedTarget, seed.Targets, [targets], DataType.Int64);
        names.Output(OutputNames.ExplainedScore, seed.Scores, [targets]);
        var adjoint = Adjoint.Run(network, e, output, finish.Seed(seed.Cotangent, output), active, targets, options.Nonlinearity, request.Opset);

        var layers = new List<NetworkLayer>();
        var (bias, counted) = (e.Zeros(e.Shape(seed.Scores)), 0);
        foreach (var (tensor, offsets) in adjoint.Cuts)
        {
            if (offsets > counted) bias = e.Add(bias, finish.Bias([.. adjoint.Offsets[counted..offsets].Select(o => o.Term)], seed.Scores));
            counted = offsets;
            if (network.Type(tensor) != DataType.Float) continue;
            var row = Finish.RowShape(network.Shape(tensor));
            layers.Insert(0, new NetworkLayer(tensor, operators[tensor].FirstOrDefault() ?? "Input", row));
            var attribution = finish.Attribution(finish.Weights(adjoint.Of(tensor)!, tensor, row), tensor, row);
            names.Output(OutputNames.LayerAttribution + tensor, seed.Mark(e, attribution, row.Count), [targets, .. row.Select(d => (long)d)]);
            names.Output(OutputNames.LayerBias + tensor, seed.Mark(e, bias, 0), [targets]);
        }
        CheckSize(layers, targets, options);
        return (new LinearizationGraph(names.Model(batched), inputs, explained, count, targets, !batched, options, report), layers);
    }

    private static void CheckSize(IReadOnlyList<NetworkLayer> layers, int targets, LinearizeOptions options)
    {
        var elements = layers.Sum(l => (long)l.RowLength);
        var bytes = targets * elements * sizeof(float);
        if (bytes > options.MaxBytesPerRow)
            throw new InvalidModelException($"Explaining {targets} targets at {layers.Count} layers of {elements:N0} elements in all gives {Compiler.Bytes(bytes)} a row, above the budget of {Compiler.Bytes(options.MaxBytesPerRow)} (MaxBytesPerRow). Explain fewer targets, such as Targets.Predicted, a shorter way (ExplainedInputs, ExplainedOutput), or raise the budget.");
    }
}
