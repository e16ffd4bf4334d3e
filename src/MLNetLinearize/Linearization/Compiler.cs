using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Preprocessing;
using MLNetLinearize.Rules;
using MLNetLinearize.Runtime;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Linearization;

/// <summary>A model to its linearization graph: the forward network, the adjoint of every node, and the outputs users read.</summary>
internal static class Compiler
{
    private const int MostProvenTargets = 16;

    /// <exception cref="InvalidModelException">The model or an option is wrong.</exception>
    /// <exception cref="UnsupportedOperatorException">Operators on the way have no rule.</exception>
    /// <exception cref="ArgumentException">A stage of the preprocessing is not affine.</exception>
    /// <exception cref="IOException"><see cref="LinearizeOptions.CacheDirectory"/> cannot be read or written.</exception>
    /// <param name="model">The model.</param>
    /// <param name="options">What to explain.</param>
    /// <param name="keepsSession">Whether the session that the graph was proven in stays open for <see cref="LinearizationGraph.Open"/>.</param>
    public static LinearizationGraph Compile(ModelProto model, LinearizeOptions options, bool keepsSession = false)
    {
        CheckOptions(options);
        LinearizationGraph Made() => Compile(model, options, null, keepsSession);
        // A fitted transformer has no content to make a key of.
        return options is { CacheDirectory: { } folder, Preprocessing: null } ? CompilationCache.GetOrAdd(folder, model, options, Made) : Made();
    }

    /// <param name="model">The model.</param>
    /// <param name="options">What to explain.</param>
    /// <param name="order">Chooses the order in which the Jacobian is accumulated; the least work when null.</param>
    /// <param name="keepsSession">As above.</param>
    public static LinearizationGraph Compile(ModelProto model, LinearizeOptions options, Func<AccumulationChoice, JacobianAccumulation>? order, bool keepsSession = false)
    {
        return Guard(model, options, (watched, raw) => CompileChecked(model, watched, raw, order, keepsSession).With(raw));
    }

    /// <summary>Checks the options, and tells what no single check of the model foresees as one error.</summary>
    public static T Guard<T>(ModelProto model, LinearizeOptions options, Func<LinearizeOptions, RawColumns?, T> compile)
    {
        CheckOptions(options);
        options = options with { Watch = new(options.Limits, options.CancellationToken) };
        var raw = options.Preprocessing is null ? null : new RawColumns(model, options);
        try
        {
            return compile(options, raw);
        }
        catch (Exception e) when (e is not DeviceException and (ArgumentException or KeyNotFoundException or IndexOutOfRangeException or NullReferenceException or InvalidOperationException or OverflowException or InvalidCastException))
        {
            // A node with too few inputs, an attribute of another type: what no single check foresees, told in one place.
            throw new InvalidModelException($"The model is malformed, or holds what the library does not expect ({e.GetType().Name}: {e.Message}). Check the file with onnx.checker; if it is sound, this is a defect of the library.", e);
        }
    }

    private static LinearizationGraph CompileChecked(ModelProto model, LinearizeOptions options, RawColumns? raw, Func<AccumulationChoice, JacobianAccumulation>? order, bool keepsSession)
    {
        var (graph, request) = Open(model, options, raw);
        using var scores = new ScoreProof(request);
        var (made, mixing) = Settled(graph.Clone(), request, network => Proven(network, request, scores, order, keepsSession));
        if (mixing is not null) made = Checked(Build(Canonicalizer.Settle(graph, request.Output, request.Explained, request.Options, mixing), request, order), scores);
        return scores.Told(made);
    }

    /// <summary>The graph of a network, and why it cannot run in batches although the network can.</summary>
    private static (LinearizationGraph Graph, string? Mixing) Proven(CanonicalNetwork network, Request request, ScoreProof scores, Func<AccumulationChoice, JacobianAccumulation>? order, bool keepsSession)
    {
        if (network.RowByRowReason is not null) return (Checked(Build(network, request, order), scores), null);
        // Rows meet in the network and in its adjoint, or not at all: with many targets, two of them prove it.
        var proven = TargetSeed.Count(request.Targets, checked((int)network.Shape(request.Output).Count)) > MostProvenTargets
            ? Build(network.Copy(), request with { Targets = Targets.Top(2) }, c => c.Reverse)
            : null;
        var batched = Build(network, request, order);
        var admitting = (proven ?? batched).Admitting();
        // The one that is kept serves single rows.
        var session = new ExplanationSession(admitting, rows: keepsSession ? 1 : BatchProof.Rows);
        var mixing = BatchProof.Objection(session, scores);
        if (mixing is null && keepsSession && ReferenceEquals(admitting, batched)) batched.Keep(session);
        else session.Dispose();
        // The graph that was proven stands for the other but for its forward pass, which is compared by itself.
        if (mixing is null && (proven is not null || request.Raw is not null)) mixing = scores.Objection(batched);
        return (batched, mixing);
    }

    private static LinearizationGraph Checked(LinearizationGraph graph, ScoreProof scores)
    {
        scores.Check(graph);
        return graph;
    }

    /// <summary>Makes something of the network in batches; where a rule cannot take them, of the network row by row.</summary>
    public static T Settled<T>(Graph graph, Request request, Func<CanonicalNetwork, T> make, bool keepsLayers = false)
    {
        try
        {
            return make(Canonicalizer.Settle(graph.Clone(), request.Output, request.Explained, request.Options, null, keepsLayers));
        }
        catch (UnsupportedOperatorException e)
        {
            return make(Canonicalizer.Settle(graph, request.Output, request.Explained, request.Options, e.Nodes[0].Reason, keepsLayers));
        }
    }

    /// <summary>Respells the model and decides what is explained; refuses what has no rule.</summary>
    public static (Graph Graph, Request Request) Open(ModelProto model, LinearizeOptions options, RawColumns? raw = null)
    {
        var given = options;
        var (graph, opset, precisions, respelled) = Spelled(model, given);
        if (raw is not null) options = raw.PutInFront(graph, options);
        var (output, cut) = ExplainedTensors.ResolveOutput(graph, options, opset);
        var explained = ExplainedTensors.ResolveInputs(graph, options, opset, output);
        Refusals.Check(graph, output, explained, opset);
        string[] notes = [.. precisions.Count == 0 ? Array.Empty<string>() : [$"The model holds {string.Join(" and ", precisions)} numbers; it is computed, and explained, in float32."], .. respelled, .. cut is { Further.Count: > 0 } ? [$"The final {cut.Operator} is cut: {string.Join("; ", cut.Further)}."] : Array.Empty<string>()];
        return (graph, new Request(output, explained, options.Targets, options, opset, cut, notes, raw, model, () => Spelled(model, given).Graph));
    }

    /// <summary>The model with its inner graphs in place, in float32, in one spelling; its operator set before; and what is worth telling of that.</summary>
    public static (Graph Graph, long Opset, IReadOnlyList<DataType> Precisions, IReadOnlyList<string> Notes) Spelled(ModelProto model, LinearizeOptions options)
    {
        var graph = new Graph(Tidying.Apply(model));
        var (opset, precisions) = (graph.Opset, Precision.Found(graph));
        Precision.ToSingle(graph);
        EmptyOptionals.Remove(graph);
        Inlining.Apply(graph, options.MaxUnrolledSteps, new(options.Limits, () => options.Watch?.Check()), network => Canonicalizer.Run(network, options));
        return (graph, opset, precisions, Canonicalizer.Respell(graph, [.. options.ExplainedInputs ?? [], .. options.ExplainedOutput is { } named ? [named] : Array.Empty<string>()]));
    }

    private static LinearizationGraph Build(CanonicalNetwork network, Request request, Func<AccumulationChoice, JacobianAccumulation>? order)
    {
        var options = request.Options;
        options.Watch?.Check();
        Refusals.Check(network.Graph, request.Output, request.Explained, request.Opset); // what was written out since counts as well
        var active = Active(network, request);
        var inputs = Inputs(network, request);
        var explained = Explained(network, request, inputs);
        var targets = TargetSeed.Count(request.Targets, checked((int)network.Shape(request.Output).Count));
        CheckSize(explained, targets, options);
        var choice = new AccumulationChoice(network, request, active, explained, targets);
        if (order is not null || !active.Contains(request.Output)) return Emit(network, request, active, inputs, explained, targets, choice.Path, order?.Invoke(choice) ?? choice.Reverse);
        var best = choice.Best(withForward: true);
        if (!AccumulationChoice.UsesForward(best)) return Emit(network, request, active, inputs, explained, targets, choice.Path, best);
        try
        {
            return Emit(network.Copy(), request, active, inputs, explained, targets, choice.Path, best);
        }
        catch (NotTransposableException)
        {
            return Emit(network, request, active, inputs, explained, targets, choice.Path, choice.Best(withForward: false));
        }
    }

    public static List<GraphInput> Inputs(CanonicalNetwork network, Request request) =>
        [.. network.Inputs.Select(i => request.Raw?.SourceOf(i.Name) is { } source ? i.ToGraphInput(true) with { Raw = source } : i.ToGraphInput(request.Explained.Contains(i.Name)))];

    /// <summary>What the score is explained by: inputs, or tensors within the network.</summary>
    public static List<GraphInput> Explained(CanonicalNetwork network, Request request, IReadOnlyList<GraphInput> inputs) =>
        [.. request.Explained.Select(name => inputs.FirstOrDefault(i => i.Name == name) ?? Inner(network, name) with { Raw = RawColumns.OnlySource(inputs, name) })];

    private static LinearizationGraph Emit(CanonicalNetwork network, Request request, HashSet<string> active, IReadOnlyList<GraphInput> given, List<GraphInput> explained, int targets, ActivePath path, JacobianAccumulation order)
    {
        var (output, options) = (request.Output, request.Options);
        var report = Report(network, request, active) with { Accumulation = order };
        var inputs = given.ToList();
        var count = checked((int)network.Shape(output).Count);
        var batched = network.RowByRowReason is null;
        if (request.Targets.Kind == TargetKind.FromColumn)
            inputs.Add(AddLabel(network, batched));

        var e = new Emitter(network.Graph, GraphNames.Prefix);
        var finish = new Finish(network, e, targets);
        var names = new GraphNames(network.Graph);
        var score = names.Output(OutputNames.Score, finish.Score(output), [count]);
        var singularities = Singularities.Of(network);
        var seed = TargetSeed.Emit(e, request.Targets, score, count);
        if (singularities.MayBeInfinite(output)) seed = seed.Finite(e);
        var accumulator = new Accumulator(new Tape(network, e, active, options.Nonlinearity, request.Opset) { Singularities = singularities }, seed, request.Targets, targets, explained, path);
        var map = accumulator.Run(order, output);

        names.Output(OutputNames.ExplainedTarget, seed.Targets, [targets], DataType.Int64);
        var bias = names.Output(OutputNames.Bias, seed.Mark(e, map.Bias, 0), [targets]);
        var sums = new List<string>();
        foreach (var (input, rows) in explained.Zip(map.Weights))
        {
            var rank = input.RowShape.Count;
            long[] shape = [targets, .. input.RowShape.Select(d => (long)d)];
            var weights = names.Output(OutputNames.Of(OutputNames.Weights, input, explained), seed.Mark(e, rows, rank), shape);
            if (!inputs.Contains(input)) names.Output(OutputNames.Of(OutputNames.ExplainedInput, input, explained), finish.Value(input.Name, input.RowShape), [.. input.RowShape.Select(d => (long)d)]);
            var attribution = names.Output(OutputNames.Of(OutputNames.Attribution, input, explained), finish.Attribution(weights, input.Name, input.RowShape), shape);
            sums.Add(finish.Sum(attribution, input.RowShape));
        }
        names.Output(OutputNames.ExplainedScore, seed.Scores, [targets]);
        names.Output(OutputNames.LinearizationError, finish.Error(seed.Scores, sums, bias), [targets]);
        report = report with { Nonlinearity = options.Nonlinearity, Nodes = [.. report.Nodes.Select(n => n with { Reading = Reading(n, accumulator.ReadingByNode) })] };
        foreach (var input in explained.Where(i => !active.Contains(i.Name)))
            report = report with { Notes = [.. report.Notes, $"'{input.Name}' reaches the score only through operators of slope 0 ({string.Join(", ", Barriers(network, request, input))}): its weights are 0, and what it contributes is bias."] };
        if (accumulator.Tangents.ToList() is { Count: > 0 } tangents)
            report = report with { Notes = [.. report.Notes, $"Frozen has no secant for {string.Join(", ", tangents.Select(n => n.Describe()))}; the tangent is used there."] };
        Quantization.WriteOut(network, e);
        e.Settle();
        var model = names.Model(batched);
        Readings.Write(model, report);
        return new LinearizationGraph(model, inputs, explained, count, targets, !batched, options with { Watch = null }, report);
    }

    /// <summary>Adds the input that says which output each row explains.</summary>
    public static GraphInput AddLabel(CanonicalNetwork network, bool batched)
    {
        network.Graph.Inputs.Add(Graph.Value(OutputNames.Label, DataType.Int64, [batched ? BatchAxis.Symbol : 1L, 1L]));
        return new GraphInput(OutputNames.Label, typeof(long), [1], true, false);
    }

    private static string Reading(NodeReport node, IReadOnlyDictionary<string, string> readingByNode) => node.Rule switch
    {
        NodeCost.Constant => Readings.Constant,
        NodeCost.Product or NodeCost.Smooth => readingByNode.GetValueOrDefault(node.Name, Readings.FrozenGate),
        _ => Readings.Exact,
    };

    /// <summary>The piecewise-constant operators on the way from an input to the score.</summary>
    private static IEnumerable<string> Barriers(CanonicalNetwork network, Request request, GraphInput input)
    {
        var reached = ValueFlow.Reached(network.Graph, [input.Name], RuleTable.Stops);
        var behind = ValueFlow.Behind(network.Graph, request.Output);
        return network.Graph.Nodes.Where(n => RuleTable.Stops(n) && n.Output.Any(behind.Contains) && Graph.Reads(n).Any(reached.Contains)).Select(n => n.OpType).Distinct();
    }

    public static HashSet<string> Active(CanonicalNetwork network, Request request)
    {
        var active = ValueFlow.Reached(network.Graph, request.Explained, RuleTable.Stops);
        active.IntersectWith(ValueFlow.Behind(network.Graph, request.Output, RuleTable.Stops));
        active.RemoveWhere(t => network.Type(t) is not (DataType.Float or DataType.Double or DataType.Float16 or DataType.Bfloat16) && !Quantization.IsQuantized(network.Type(t)));
        if (active.FirstOrDefault(t => network.Type(t) != DataType.Float && !Quantization.IsQuantized(network.Type(t))) is { } tensor)
            throw new InvalidModelException($"Tensor '{tensor}' on the way from the explained input to the explained output is {network.Type(tensor)}. The library computes in float32; convert the model to float32.") { IsModelSound = true };
        if (network.Type(request.Output) != DataType.Float)
            throw new InvalidModelException($"The explained output '{request.Output}' is {network.Type(request.Output)}, and only float numbers have a slope. Name a float tensor before it as ExplainedOutput.") { IsModelSound = true };
        var behind = ValueFlow.Behind(network.Graph, request.Output);
        if (request.Explained.FirstOrDefault(e => !behind.Contains(e)) is { } unused)
            throw new InvalidModelException($"The explained output '{request.Output}' does not depend on '{unused}'. Leave it out of ExplainedInputs, or name another ExplainedOutput.") { IsModelSound = true };
        CheckApart(network, request.Explained);
        return active;
    }

    private static void CheckApart(CanonicalNetwork network, IReadOnlyCollection<string> explained)
    {
        if (explained.Count < 2) return;
        foreach (var first in explained)
        {
            var reached = ValueFlow.Reached(network.Graph, [first], RuleTable.Stops);
            if (explained.FirstOrDefault(e => e != first && reached.Contains(e)) is { } second)
                throw new InvalidModelException($"'{second}' of ExplainedInputs is computed from '{first}', so that what they contribute would count twice. Name one of them.") { IsModelSound = true };
        }
    }

    public static GraphInput Inner(CanonicalNetwork network, string name) =>
        network.IsKnown(name)
            ? new GraphInput(name, typeof(float), Finish.RowShape(network.Shape(name)), network.Shape(name).HasBatch, true)
            : throw new InvalidModelException($"ExplainedInputs names '{name}', which the explained output does not depend on.");

    private static void CheckOptions(LinearizeOptions options)
    {
        if (options.Targets is null) throw new ArgumentException("LinearizeOptions.Targets is null. Use Targets.Predicted or another of its members.");
        if (options.CacheDirectory is { } folder && string.IsNullOrWhiteSpace(folder)) throw new ArgumentException("LinearizeOptions.CacheDirectory is empty. Name a folder, or leave it null for no cache.");
        if (options.Threads < 1) throw new ArgumentException($"LinearizeOptions.Threads is {options.Threads}; give 1 or more, or null for one per processor.");
        if (options.BatchSize < 1) throw new ArgumentException($"LinearizeOptions.BatchSize is {options.BatchSize}; it must be 1 or more, or null to leave the choice to the library.");
        if (options.GpuDeviceId < 0) throw new ArgumentException($"LinearizeOptions.GpuDeviceId is {options.GpuDeviceId}; give the number of a CUDA device, from 0, or null for the CPU.");
        if (options.MaxBytesPerRow < 1) throw new ArgumentException($"LinearizeOptions.MaxBytesPerRow is {options.MaxBytesPerRow}; give 1 or more.");
        if (options.MaxUnrolledSteps < 1) throw new ArgumentException($"LinearizeOptions.MaxUnrolledSteps is {options.MaxUnrolledSteps}; give 1 or more.");
        if (options.ExplainedInputs?.GroupBy(n => n).FirstOrDefault(g => g.Count() > 1) is { } twice) throw new ArgumentException($"LinearizeOptions.ExplainedInputs names '{twice.Key}' more than once.");
    }

    private static void CheckSize(IReadOnlyList<GraphInput> explained, int targets, LinearizeOptions options)
    {
        var elements = explained.Sum(i => (long)i.RowLength);
        var bytes = targets * elements * sizeof(float);
        if (bytes > options.MaxBytesPerRow)
            throw new InvalidModelException($"Explaining {targets} target{(targets == 1 ? "" : "s")} by {elements:N0} inputs gives {Bytes(bytes)} a row ({targets} · {elements:N0} · 4 bytes), above the budget of {Bytes(options.MaxBytesPerRow)} (MaxBytesPerRow). {(targets > 3 ? "Explain fewer targets, such as Targets.Top(3), or raise" : "Raise")} the budget.");
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
            CutActivation = request.Cut?.Operator,
            Cut = request.Cut,
            RowByRowReason = network.RowByRowReason,
            IsPiecewiseLinear = forward.Where(n => n.Output.Any(active.Contains)).All(n => NodeCost.IsPiecewiseLinear(n, active)),
            TakesMissingValues = Finish.TakesMissing(network),
            Nodes = nodes,
            Notes = request.Notes,
        };
    }
}

/// <summary>What a compilation explains: an output by inputs, under options; what the model's file said; the model that scores are compared with, as it is and, made anew, as it was respelled.</summary>
internal sealed record Request(string Output, IReadOnlyList<string> Explained, Targets Targets, LinearizeOptions Options, long Opset, CutActivation? Cut, IReadOnlyList<string> Notes, RawColumns? Raw, ModelProto Model, Func<Graph> Respelled);
