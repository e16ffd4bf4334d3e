using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Rules;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Linearization;

/// <summary>A model to its linearization graph: the forward network, the adjoint of every node, and the outputs users read.</summary>
internal static class Compiler
{
    /// <exception cref="InvalidModelException">The model or an option is wrong.</exception>
    /// <exception cref="UnsupportedOperatorException">Operators on the way have no rule.</exception>
    public static LinearizationGraph Compile(ModelProto model, LinearizeOptions options) => Guard(options, () => CompileChecked(model, options));

    /// <summary>Checks the options, and tells what no single check of the model foresees as one error.</summary>
    public static T Guard<T>(LinearizeOptions options, Func<T> compile)
    {
        CheckOptions(options);
        try
        {
            return compile();
        }
        catch (Exception e) when (e is ArgumentException or KeyNotFoundException or IndexOutOfRangeException or NullReferenceException or InvalidOperationException or OverflowException or InvalidCastException)
        {
            // A node with too few inputs, an attribute of another type: what no single check foresees, told in one place.
            throw new InvalidModelException($"The model is malformed, or holds what the library does not expect ({e.GetType().Name}: {e.Message}). Check the file with onnx.checker; if it is sound, this is a defect of the library.", e);
        }
    }

    private static LinearizationGraph CompileChecked(ModelProto model, LinearizeOptions options)
    {
        var (graph, request) = Open(model, options);
        var batched = Build(Canonicalizer.Settle(graph.Clone(), request.Output, options, null), request);
        if (batched.IsRowByRow || BatchProof.Objection(batched) is not { } mixing) return batched;
        return Build(Canonicalizer.Settle(graph, request.Output, options, mixing), request);
    }

    /// <summary>Respells the model and decides what is explained; refuses what has no rule.</summary>
    public static (Graph Graph, Request Request) Open(ModelProto model, LinearizeOptions options)
    {
        var graph = new Graph(model);
        var opset = graph.Opset;
        Inlining.Apply(graph);
        var precisions = Precision.Found(graph);
        Canonicalizer.Respell(graph, [.. options.ExplainedInputs ?? [], .. options.ExplainedOutput is { } named ? [named] : Array.Empty<string>()]);
        var (output, cut) = ExplainedTensors.ResolveOutput(graph, options, opset);
        var explained = ExplainedTensors.ResolveInputs(graph, options, opset);
        Refusals.Check(graph, output, explained, opset);
        var notes = precisions.Count == 0 ? Array.Empty<string>() : [$"The model holds {string.Join(" and ", precisions)} numbers; it is computed, and explained, in float32."];
        return (graph, new Request(output, explained, options, opset, cut, notes));
    }

    private static LinearizationGraph Build(CanonicalNetwork network, Request request)
    {
        var (output, options) = (request.Output, request.Options);
        var active = Active(network, request);
        var report = Report(network, request, active);
        var inputs = network.Inputs.Select(i => i.ToGraphInput(request.Explained.Contains(i.Name))).ToList();
        var explained = request.Explained.Select(name => inputs.FirstOrDefault(i => i.Name == name) ?? Inner(network, name)).ToList();
        var count = checked((int)network.Shape(output).Count);
        var targets = TargetSeed.Count(options.Targets, count);
        CheckSize(explained, targets, options);
        var batched = network.RowByRowReason is null;
        if (options.Targets.Kind == TargetKind.FromColumn)
            inputs.Add(AddLabel(network, batched));

        var e = new Emitter(network.Graph, GraphNames.Prefix);
        var finish = new Finish(network, e, targets);
        var names = new GraphNames(network.Graph);
        var score = names.Output(OutputNames.Score, finish.Score(output), [count]);
        var seed = TargetSeed.Emit(e, options.Targets, score, count);
        var adjoint = Adjoint.Run(network, e, output, finish.Seed(seed.Cotangent, output), active, targets, options.Nonlinearity, request.Opset);

        names.Output(OutputNames.ExplainedTarget, seed.Targets, [targets], DataType.Int64);
        var bias = names.Output(OutputNames.Bias, seed.Mark(e, finish.Bias([.. adjoint.Offsets.Select(o => o.Term)], seed.Scores), 0), [targets]);
        var sums = new List<string>();
        foreach (var input in explained)
        {
            var rank = input.RowShape.Count;
            long[] shape = [targets, .. input.RowShape.Select(d => (long)d)];
            var weights = names.Output(OutputNames.Of(OutputNames.Weights, input, explained), seed.Mark(e, finish.Weights(Cotangent(adjoint, request, input), input.Name, input.RowShape), rank), shape);
            if (!inputs.Contains(input)) names.Output(OutputNames.Of(OutputNames.ExplainedInput, input, explained), finish.Value(input.Name, input.RowShape), [.. input.RowShape.Select(d => (long)d)]);
            var attribution = names.Output(OutputNames.Of(OutputNames.Attribution, input, explained), finish.Attribution(weights, input.Name, input.RowShape), shape);
            sums.Add(finish.Sum(attribution, rank));
        }
        names.Output(OutputNames.ExplainedScore, seed.Scores, [targets]);
        names.Output(OutputNames.LinearizationError, finish.Error(seed.Scores, sums, bias), [targets]);
        if (adjoint.Tangents.Count > 0)
            report = report with { Notes = [.. report.Notes, $"Frozen has no secant for {string.Join(", ", adjoint.Tangents.AsEnumerable().Reverse().Select(n => n.Describe()))}; the tangent is used there."] };
        return new LinearizationGraph(names.Model(batched), inputs, explained, count, targets, !batched, options, report);
    }

    /// <summary>Adds the input that says which output each row explains.</summary>
    public static GraphInput AddLabel(CanonicalNetwork network, bool batched)
    {
        network.Graph.Inputs.Add(Graph.Value(OutputNames.Label, DataType.Int64, [batched ? BatchAxis.Symbol : 1L, 1L]));
        return new GraphInput(OutputNames.Label, typeof(long), [1], true, false);
    }

    public static string Cotangent(Adjoint adjoint, Request request, GraphInput input) =>
        adjoint.Of(input.Name) ?? throw new InvalidModelException($"The explained output '{request.Output}' does not depend on '{input.Name}'. Leave it out of ExplainedInputs.");

    public static HashSet<string> Active(CanonicalNetwork network, Request request)
    {
        var active = ValueFlow.Reached(network.Graph, request.Explained, RuleTable.Stops);
        active.IntersectWith(ValueFlow.Behind(network.Graph, request.Output));
        active.RemoveWhere(t => network.Type(t) is not (DataType.Float or DataType.Double or DataType.Float16 or DataType.Bfloat16) && !Quantization.IsQuantized(network.Type(t)));
        if (active.FirstOrDefault(t => network.Type(t) != DataType.Float && !Quantization.IsQuantized(network.Type(t))) is { } tensor)
            throw new InvalidModelException($"Tensor '{tensor}' on the way from the explained input to the explained output is {network.Type(tensor)}. The library computes in float32; convert the model to float32.");
        if (!active.Contains(request.Output))
            throw new InvalidModelException($"The explained output '{request.Output}' does not depend on [{string.Join(", ", request.Explained)}] through operators that have a slope. Name another ExplainedOutput or other ExplainedInputs.");
        return active;
    }

    public static GraphInput Inner(CanonicalNetwork network, string name) =>
        network.IsKnown(name)
            ? new GraphInput(name, typeof(float), Finish.RowShape(network.Shape(name)), network.Shape(name).HasBatch, true)
            : throw new InvalidModelException($"ExplainedInputs names '{name}', which the explained output does not depend on.");

    private static void CheckOptions(LinearizeOptions options)
    {
        if (options.Targets is null) throw new InvalidModelException("LinearizeOptions.Targets is null. Use Targets.Predicted or another of its members.");
        if (options.Threads < 1) throw new InvalidModelException($"LinearizeOptions.Threads is {options.Threads}; give 1 or more, or null for ONNX Runtime's choice.");
        if (options.MaxBytesPerRow < 1) throw new InvalidModelException($"LinearizeOptions.MaxBytesPerRow is {options.MaxBytesPerRow}; give 1 or more.");
        if (options.ExplainedInputs?.GroupBy(n => n).FirstOrDefault(g => g.Count() > 1) is { } twice) throw new InvalidModelException($"LinearizeOptions.ExplainedInputs names '{twice.Key}' more than once.");
    }

    private static void CheckSize(IReadOnlyList<GraphInput> explained, int targets, LinearizeOptions options)
    {
        var elements = explained.Sum(i => (long)i.RowLength);
        var bytes = targets * elements * sizeof(float);
        if (bytes > options.MaxBytesPerRow)
            throw new InvalidModelException($"Explaining {targets} targets by {elements:N0} inputs gives {Bytes(bytes)} a row ({targets} · {elements:N0} · 4 bytes), above the budget of {Bytes(options.MaxBytesPerRow)} (MaxBytesPerRow). Explain fewer targets, such as Targets.Top(3), or raise the budget.");
    }

    public static string Bytes(long bytes) => bytes < 1_000_000 ? $"{bytes:N0} bytes" : $"{bytes / 1e6:N0} MB";

    public static CompilationReport Report(CanonicalNetwork network, Request request, HashSet<string> active)
    {
        var forward = network.Graph.Nodes;
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
            Notes = request.Notes,
        };
    }
}

/// <summary>What a compilation explains: an output by inputs, under options; and what the model's file said.</summary>
internal sealed record Request(string Output, IReadOnlyList<string> Explained, LinearizeOptions Options, long Opset, string? Cut, IReadOnlyList<string> Notes);
