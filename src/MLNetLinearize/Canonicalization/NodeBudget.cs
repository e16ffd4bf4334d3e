using MLNetLinearize.Onnx;

namespace MLNetLinearize.Canonicalization;

/// <summary>
/// How many nodes a model has once functions and loops are written out, counted before they are: a few functions that call each other twice, or
/// loops in loops, stand for more than any memory holds.
/// </summary>
/// <param name="limits">The limits.</param>
/// <param name="checkTime">Throws where the time is over, or the caller has cancelled.</param>
internal sealed class NodeBudget(CompilationLimits limits, Action? checkTime = null)
{
    /// <summary>Counts end here.</summary>
    private const long Uncounted = 1L << 60;

    /// <summary>Ends what takes too long, or is cancelled.</summary>
    public void CheckTime() => checkTime?.Invoke();

    /// <summary>Counts all that the model's functions stand for, and the loops whose number of rounds is stored.</summary>
    /// <param name="graph">The model.</param>
    /// <exception cref="InvalidModelException">A function calls itself, or there are more than the limit.</exception>
    public void CheckWritten(Graph graph)
    {
        var model = graph.Header;
        var functions = model.Functions.GroupBy(Key).ToDictionary(g => g.Key, g => g.First(), StringComparer.Ordinal);
        if (model.Functions.Count > functions.Count)
            throw new InvalidModelException($"The model defines the function {Twice(model)} more than once. Check the file with onnx.checker.");
        var sizes = Sizes(functions);
        var count = Count(graph.Nodes, new(sizes, name => graph.Initializers.GetValueOrDefault(name)));
        if (count > limits.MaxNodes) throw Exceeded("With its functions and loops written out, the model", count);
    }

    /// <summary>Checks what a loop stands for beside the nodes that there are already.</summary>
    /// <param name="loop">The loop.</param>
    /// <param name="rounds">How often it runs.</param>
    /// <param name="body">What it runs; loops in it count once.</param>
    /// <param name="others">Nodes beside it.</param>
    /// <exception cref="InvalidModelException">They are more than the limit.</exception>
    public void Check(NodeProto loop, long rounds, GraphProto body, long others)
    {
        var count = Product(rounds, Count(body, Scope.Empty)) + others;
        if (count > limits.MaxNodes) throw Exceeded($"With {loop.Describe()} unrolled, of {rounds:N0} rounds, the model", count);
    }

    /// <exception cref="InvalidModelException">The network has more nodes than the limit.</exception>
    public void Check(Graph graph)
    {
        if (graph.Nodes.Count > limits.MaxNodes) throw Exceeded("With its recurrences unrolled, the model", graph.Nodes.Count);
    }

    private InvalidModelException Exceeded(string what, long count)
    {
        var told = count >= Uncounted ? "more than 10¹⁸" : $"{count:N0}";
        return new($"{what} has {told} nodes, and at most {limits.MaxNodes:N0} are taken. Shorten its loops, or raise LinearizeOptions.Limits.MaxNodes.") { IsModelSound = true, IsLimit = true };
    }

    /// <summary>The nodes of each function, those of the functions that it calls included: callees first.</summary>
    private static Dictionary<string, long> Sizes(Dictionary<string, FunctionProto> functions)
    {
        var callees = functions.ToDictionary(f => f.Key, f => All(f.Value.Node).Select(Key).Where(functions.ContainsKey).ToHashSet(StringComparer.Ordinal), StringComparer.Ordinal);
        var callers = callees.SelectMany(c => c.Value.Select(callee => (Callee: callee, Caller: c.Key))).ToLookup(p => p.Callee, p => p.Caller, StringComparer.Ordinal);
        var open = callees.ToDictionary(c => c.Key, c => c.Value.Count, StringComparer.Ordinal);
        var ready = new Queue<string>(open.Where(o => o.Value == 0).Select(o => o.Key));
        var sizes = new Dictionary<string, long>(StringComparer.Ordinal);
        while (ready.TryDequeue(out var function))
        {
            sizes[function] = Count(functions[function].Node, new(sizes, _ => null));
            foreach (var caller in callers[function])
                if (--open[caller] == 0) ready.Enqueue(caller);
        }
        if (sizes.Count < functions.Count)
        {
            var first = functions.Keys.First(f => !sizes.ContainsKey(f));
            throw new InvalidModelException($"The model's functions call themselves: {string.Join(" calls ", Cycle(first, callees, sizes))}. A function must not; check the file with onnx.checker.");
        }
        return sizes;
    }

    /// <summary>Functions that call each other in a ring, of which the first is the last; every one that is not counted calls another such.</summary>
    private static IEnumerable<string> Cycle(string first, Dictionary<string, HashSet<string>> callees, Dictionary<string, long> sizes)
    {
        var way = new List<string>();
        for (var at = first; ; at = callees[at].First(c => !sizes.ContainsKey(c)))
        {
            var seen = way.IndexOf(at);
            way.Add(at);
            if (seen >= 0) return way[seen..].Select(k => $"'{k}'").Take(6);
        }
    }

    private static long Count(IEnumerable<NodeProto> nodes, Scope scope)
    {
        var (sum, inner) = (0L, scope.With(nodes));
        foreach (var node in nodes)
        {
            var own = scope.Functions.GetValueOrDefault(Key(node), 1);
            foreach (var nested in Nodes.Nested(node)) own = Math.Min(Uncounted, own + Product(Rounds(node, inner), Count(nested, inner)));
            sum = Math.Min(Uncounted, sum + own);
        }
        return sum;
    }

    private static long Count(GraphProto graph, Scope scope) => Count(graph.Node, scope.With(graph.Initializer));

    /// <summary>The rounds of a loop that are stored and that no condition ends; else one.</summary>
    private static long Rounds(NodeProto node, Scope scope)
    {
        if (!node.IsStandard() || node.OpType != "Loop" || node.InputOrNull(0) is not { } bound || scope.Stored(bound)?.ToInt64() is not [var rounds] || node.Find("body")?.G is not { } body) return 1;
        if (body.Input.Count < 2 || body.Output.Count < 1) return 1;
        var maker = body.Node.FirstOrDefault(n => n.Output.Contains(body.Output[0].Name));
        var goesOn = maker is null || maker.OpType == "Identity" && maker.Input[0] == body.Input[1].Name || maker.OpType == "Constant" || maker.OpType == "Identity" && scope.Stored(maker.Input[0]) is not null;
        return goesOn ? Math.Max(rounds, 0) : 1;
    }

    private static IEnumerable<NodeProto> All(IEnumerable<NodeProto> nodes) => nodes.SelectMany(n => All(Nodes.Nested(n).SelectMany(g => g.Node)).Prepend(n));

    private static long Product(long a, long b) => a == 0 || b == 0 ? 0 : a > Uncounted / b ? Uncounted : a * b;

    private static string Key(FunctionProto function) => $"{function.Domain}.{function.Name}{(function.Overload.Length > 0 ? $":{function.Overload}" : "")}";

    private static string Key(NodeProto node) => $"{node.Domain}.{node.OpType}{(node.Overload.Length > 0 ? $":{node.Overload}" : "")}";

    private static string Twice(ModelProto model) => $"'{model.Functions.GroupBy(Key).First(g => g.Count() > 1).Key}'";

    /// <summary>What a graph knows from those around it.</summary>
    /// <param name="Functions">Sizes of functions.</param>
    /// <param name="Stored">Stored tensors by name.</param>
    private sealed record Scope(Dictionary<string, long> Functions, Func<string, TensorProto?> Stored)
    {
        public static Scope Empty { get; } = new(new(StringComparer.Ordinal), _ => null);

        public Scope With(IEnumerable<TensorProto> tensors)
        {
            var own = tensors.DistinctBy(t => t.Name).ToDictionary(t => t.Name, StringComparer.Ordinal);
            return own.Count == 0 ? this : this with { Stored = name => own.GetValueOrDefault(name) ?? Stored(name) };
        }

        public Scope With(IEnumerable<NodeProto> nodes)
        {
            var own = nodes.Where(n => n.IsStandard() && n.OpType == "Constant" && n.Output.Count > 0 && n.Find("value")?.T is not null).ToDictionary(n => n.Output[0], n => n.Find("value")!.T, StringComparer.Ordinal);
            return own.Count == 0 ? this : this with { Stored = name => own.GetValueOrDefault(name) ?? Stored(name) };
        }
    }
}
