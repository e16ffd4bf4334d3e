using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Rules;
using MLNetLinearize.Runtime;
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
    public static (LinearizationGraph Graph, IReadOnlyList<NetworkLayer> Layers) Compile(ModelProto model, LinearizeOptions options) => Compiler.Guard(model, options, (watched, raw) =>
    {
        var (graph, request) = Compiler.Open(model, watched, raw);
        using var scores = new ScoreProof(request);
        var (made, mixing) = Compiler.Settled(graph.Clone(), request, network => Proven(network, request, scores), keepsLayers: true);
        if (mixing is not null) made = Checked(Build(Canonicalizer.Settle(graph, request.Output, request.Explained, request.Options, mixing, keepsLayers: true), request), scores);
        return (scores.Told(made.Graph), made.Layers);
    });

    /// <summary>The graph of a network, and why it cannot run in batches although the network can.</summary>
    private static ((LinearizationGraph Graph, IReadOnlyList<NetworkLayer> Layers) Made, string? Mixing) Proven(CanonicalNetwork network, Request request, ScoreProof scores)
    {
        var made = Build(network, request);
        if (made.Graph.IsRowByRow) return (Checked(made, scores), null);
        using var session = new ExplanationSession(made.Graph.Admitting());
        return (made, BatchProof.Objection(session, scores) ?? (request.Raw is null ? null : scores.Objection(made.Graph)));
    }

    private static (LinearizationGraph Graph, IReadOnlyList<NetworkLayer> Layers) Checked((LinearizationGraph Graph, IReadOnlyList<NetworkLayer> Layers) made, ScoreProof scores)
    {
        scores.Check(made.Graph);
        return made;
    }

    private static (LinearizationGraph Graph, IReadOnlyList<NetworkLayer> Layers) Build(CanonicalNetwork network, Request request)
    {
        var (output, options) = (request.Output, request.Options);
        Refusals.Check(network.Graph, output, request.Explained, request.Opset); // what was written out since counts as well
        var active = Compiler.Active(network, request);
        var report = Compiler.Report(network, request, active);
        var inputs = Compiler.Inputs(network, request);
        var explained = Compiler.Explained(network, request, inputs);
        var batched = network.RowByRowReason is null;
        if (request.Targets.Kind == TargetKind.FromColumn) inputs.Add(Compiler.AddLabel(network, batched));

        var count = checked((int)network.Shape(output).Count);
        var targets = TargetSeed.Count(request.Targets, count);
        var e = new Emitter(network.Graph, GraphNames.Prefix);
        var finish = new Finish(network, e, targets);
        var names = new GraphNames(network.Graph);
        var operators = network.Graph.Nodes.SelectMany(n => n.Output.Select(o => (Tensor: o, n.OpType))).ToLookup(n => n.Tensor, n => n.OpType);
        var score = names.Output(OutputNames.Score, finish.Score(output), [count]);
        var singularities = Singularities.Of(network);
        var seed = TargetSeed.Emit(e, request.Targets, score, count);
        if (singularities.MayBeInfinite(output)) seed = seed.Finite(e);
        names.Output(OutputNames.ExplainedTarget, seed.Targets, [targets], DataType.Int64);
        names.Output(OutputNames.ExplainedScore, seed.Scores, [targets]);
        var rows = e.Slice(e.Shape(seed.Scores), 0, 1, 0);
        var adjoint = Adjoint.Run(new Tape(network, e, active, options.Nonlinearity, request.Opset) { Singularities = singularities }, targets, [(output, finish.Seed(seed.EveryRow(e), output))]);
        // Piecewise constant in its one input: that contributes nothing, and the whole score is bias.
        if (!active.Contains(output) && request.Explained is [var only] && only != output) adjoint.Cuts.Add((only, adjoint.Offsets.Count));

        var layers = new List<NetworkLayer>();
        var (bias, counted) = (e.Zeros(e.Shape(seed.Scores)), 0);
        foreach (var (tensor, offsets) in adjoint.Cuts)
        {
            if (offsets > counted) bias = e.Add(bias, finish.Bias([.. adjoint.Offsets[counted..offsets].Select(o => o.Term)], rows));
            counted = offsets;
            if (network.Type(tensor) != DataType.Float) continue;
            var row = Finish.RowShape(network.Shape(tensor));
            layers.Insert(0, new NetworkLayer(tensor, operators[tensor].FirstOrDefault() ?? "Input", row));
            var attribution = finish.Attribution(finish.Weights(adjoint.OfOrZero(tensor), tensor, row), tensor, row);
            names.Output(OutputNames.LayerAttribution + tensor, seed.Mark(e, attribution, row.Count), [targets, .. row.Select(d => (long)d)]);
            names.Output(OutputNames.LayerBias + tensor, seed.Mark(e, bias, 0), [targets]);
        }
        CheckSize(layers, targets, options);
        Quantization.WriteOut(network, e);
        e.Settle();
        return (new LinearizationGraph(names.Model(batched), inputs, explained, count, targets, !batched, options with { Watch = null }, report), layers);
    }

    private static void CheckSize(IReadOnlyList<NetworkLayer> layers, int targets, LinearizeOptions options)
    {
        var elements = layers.Sum(l => (long)l.RowLength);
        var bytes = targets * elements * sizeof(float);
        if (bytes > options.MaxBytesPerRow)
            throw new InvalidModelException($"Explaining {targets} targets at {layers.Count} layers of {elements:N0} elements in all gives {Compiler.Bytes(bytes)} a row, above the budget of {Compiler.Bytes(options.MaxBytesPerRow)} (MaxBytesPerRow). Explain fewer targets, such as Targets.Predicted, a shorter way (ExplainedInputs, ExplainedOutput), or raise the budget.");
    }
}
