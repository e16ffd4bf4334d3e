using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Rules;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Linearization;

/// <summary>A model to its linearization graph: the forward network, the adjoint of every node, and the outputs users read.</summary>
internal static class Compiler
{
    public static LinearizationGraph Compile(ModelProto model, LinearizeOptions options)
    {
        var graph = new Graph(model);
        var original = graph.Opset;
        Canonicalizer.Respell(graph, [.. options.ExplainedInputs ?? [], .. options.ExplainedOutput is { } o ? [o] : Array.Empty<string>()]);
        var (output, cut) = ExplainedTensors.ResolveOutput(graph, options);
        var explained = ExplainedTensors.ResolveInputs(graph, options);
        Refusals.Check(graph, output, explained, original);

        var request = new Request(output, explained, options, original, cut);
        var batched = Build(Canonicalizer.Settle(graph.Clone(), output, options, null), request);
        if (batched.IsRowByRow || BatchProof.Objection(batched) is not { } mixing) return batched;
        return Build(Canonicalizer.Settle(graph, output, options, mixing), request);
    }

    private sealed record Request(string Output, IReadOnlyList<string> Explained, LinearizeOptions Options, long Opset, string? Cut);

    private static LinearizationGraph Build(CanonicalNetwork network, Request request)
    {
        var (output, options) = (request.Output, request.Options);
        var active = Active(network, request);
        var forward = network.Graph.Nodes.ToList();
        var inputs = network.Inputs.Select(i => i.ToGraphInput(request.Explained.Contains(i.Name))).ToList();
        var explained = request.Explained.Select(name => inputs.FirstOrDefault(i => i.Name == name) ?? Inner(network, name)).ToList();
        var count = checked((int)network.Shape(output).Count);
        var targets = TargetSeed.Count(options.Targets, count);
        CheckSize(explained, targets, options);

        var e = new Emitter(network.Graph, GraphNames.Prefix);
        var finish = new Finish(network, e, targets);
        var names = new GraphNames(network.Graph);
        var score = names.Output(OutputNames.Score, finish.Score(output));
        var seed = TargetSeed.Emit(e, options.Targets, score, count);
        var adjoint = Adjoint.Run(network, e, output, finish.Seed(seed.Cotangent, output), active, targets, options.Nonlinearity, request.Opset);

        string Marked(string tensor, int rank) => seed.Poison is null ? tensor : e.Add(tensor, rank == 0 ? seed.Poison : e.Reshape(seed.Poison, [-1, 1, .. Enumerable.Repeat(1L, rank)]));
        names.Output(OutputNames.ExplainedTarget, seed.Targets);
        var bias = names.Output(OutputNames.Bias, Marked(finish.Bias([.. adjoint.Offsets.Select(o => o.Term)], seed.Scores), 0));
        var sums = new List<string>();
        foreach (var input in explained)
        {
            var suffix = explained.Count > 1 ? $".{input.Name}" : "";
            var cotangent = adjoint.Of(input.Name) ?? throw new InvalidModelException($"The explained output '{output}' does not depend on '{input.Name}'. Leave it out of ExplainedInputs.");
            var weights = names.Output(OutputNames.Weights + suffix, Marked(finish.Weights(cotangent, input.Name, input.RowShape), input.RowShape.Count));
            var attribution = names.Output(OutputNames.Attribution + suffix, finish.Attribution(weights, input.Name, input.RowShape));
            sums.Add(finish.Sum(attribution, input.RowShape.Count));
        }
        names.Output(OutputNames.ExplainedScore, seed.Scores);
        names.Output(OutputNames.LinearizationError, finish.Error(seed.Scores, sums, bias));

        var report = Report(network, request, active, forward);
        if (options.Targets.Kind == TargetKind.FromColumn) inputs.Add(new GraphInput(OutputNames.Label, typeof(long), [1], true, false));
        var model = names.Model(inputs, explained, targets, count, network.RowByRowReason is null);
        return new LinearizationGraph(model, inputs, explained, count, targets, network.RowByRowReason is not null, options, report);
    }

    private static HashSet<string> Active(CanonicalNetwork network, Request request)
    {
        var active = ValueFlow.Reached(network.Graph, request.Explained, RuleTable.Stops);
        active.IntersectWith(ValueFlow.Behind(network.Graph, request.Output));
        active.RemoveWhere(t => network.Type(t) is not (DataType.Float or DataType.Double or DataType.Float16 or DataType.Bfloat16));
        if (active.FirstOrDefault(t => network.Type(t) != DataType.Float) is { } tensor)
            throw new InvalidModelException($"Tensor '{tensor}' on the way from the explained input to the explained output is {network.Type(tensor)}. The library computes in float32; convert the model to float32.");
        if (!active.Contains(request.Output))
            throw new InvalidModelException($"The explained output '{request.Output}' does not depend on [{string.Join(", ", request.Explained)}] through operators that have a slope. Name another ExplainedOutput or other ExplainedInputs.");
        return active;
    }

    private static GraphInput Inner(CanonicalNetwork network, string name) =>
        network.IsKnown(name)
            ? new GraphInput(name, typeof(float), Finish.RowShape(network.Shape(name)), network.Shape(name).HasBatch, true)
            : throw new InvalidModelException($"ExplainedInputs names '{name}', which the explained output does not depend on.");

    private static void CheckSize(IReadOnlyList<GraphInput> explained, int targets, LinearizeOptions options)
    {
        var elements = explained.Sum(i => (long)i.RowLength);
        var bytes = targets * elements * sizeof(float);
        if (bytes > options.MaxBytesPerRow)
            throw new InvalidModelException($"Explaining {targets} targets by {elements:N0} inputs gives {bytes / 1e6:N0} MB a row ({targets} · {elements:N0} · 4 bytes), above the budget of {options.MaxBytesPerRow / 1e6:N0} MB (MaxBytesPerRow). Explain fewer targets, such as Targets.Top(3), or raise the budget.");
    }

    private static CompilationReport Report(CanonicalNetwork network, Request request, HashSet<string> active, List<NodeProto> forward)
    {
        var nodes = forward.Select(n => NodeCost.Report(network, n, active)).ToList();
        return new CompilationReport
        {
            OriginalOpset = request.Opset,
            Opset = network.Graph.Opset,
            ExplainedOutput = request.Output,
            CutActivation = request.Cut,
            RowByRowReason = network.RowByRowReason,
            IsPiecewiseLinear = forward.Where(n => n.Output.Any(active.Contains)).All(n => NodeCost.IsPiecewiseLinear(n, active)),
            Nodes = nodes,
        };
    }
}
