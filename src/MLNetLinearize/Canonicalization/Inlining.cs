using MLNetLinearize.Onnx;

namespace MLNetLinearize.Canonicalization;

/// <summary>
/// Puts in place what stands for other nodes: the model's own functions (of the model's operator set, or of an earlier one that is spelled alike), and the inner graphs of If,
/// Loop and Scan, where the file or its shapes decide how they run.
/// </summary>
internal static class Inlining
{
    /// <param name="graph">Rewritten in place.</param>
    /// <param name="limit">Most rounds that a loop is unrolled.</param>
    /// <param name="budget">Most nodes.</param>
    /// <param name="run">Runs a network on one row.</param>
    public static void Apply(Graph graph, int limit, NodeBudget budget, Func<Graph, IReadOnlyDictionary<string, TensorFact>> run)
    {
        budget.CheckWritten(graph);
        do
        {
            while (graph.Nodes.Any(n => Body(graph, n) is not null))
            {
                budget.CheckTime();
                graph.Nodes = [.. graph.Nodes.SelectMany(n => Body(graph, n)?.Invoke() ?? [n])];
            }
        }
        while (graph.Nodes.Any(ControlFlow.Is) && Replaced(graph, limit, budget, run));
        foreach (var call in graph.Nodes.Where(n => !n.IsStandard()))
        {
            if (Function(graph, call) is { } function)
                graph.Object(call, $"it is a function of the model's own, written for operator set {Version(function)}, and the model is of {graph.Opset}, where {Names(function)} may mean something else", $"export the model with its functions in operator set {graph.Opset}");
        }
        if (!graph.Nodes.SelectMany(Nodes.Nested).Any()) graph.Header.Functions.Clear();
    }

    private static bool Replaced(Graph graph, int limit, NodeBudget budget, Func<Graph, IReadOnlyDictionary<string, TensorFact>> run)
    {
        try
        {
            return ControlFlow.Replace(graph, run(LoopCounters.Added(graph)), limit, budget);
        }
        catch (InvalidModelException e) when (!e.IsLimit)
        {
            foreach (var node in graph.Nodes.Where(ControlFlow.Is)) graph.Object(node, $"which branch runs, or the number of rounds, cannot be told: {e.Message}", "give the input shapes, or export the model without it");
            return false;
        }
    }

    /// <summary>Makes the nodes that a node stands for; null where it stands for itself.</summary>
    private static Func<List<NodeProto>>? Body(Graph graph, NodeProto node)
    {
        if (Function(graph, node) is { } function && IsSpelledAlike(graph, function)) return () => Call(graph, function, node);
        if (!node.IsStandard() || node.OpType != "If" || Condition(graph, node.Input[0]) is not { } condition) return null;
        return () => Branch(graph, node.Find(condition ? "then_branch" : "else_branch")!.G, node);
    }

    private static FunctionProto? Function(Graph graph, NodeProto node) => graph.Header.Functions.FirstOrDefault(f => f.Domain == node.Domain && f.Name == node.OpType && f.Overload == node.Overload);

    private static string Version(FunctionProto function) => string.Join(" and ", function.OpsetImport.Where(o => o.Domain is "" or "ai.onnx").Select(o => o.Version).Distinct());

    /// <summary>The operators that keep a function from being put in place.</summary>
    private static string Names(FunctionProto function) => string.Join(", ", function.Node.Where(n => n.IsStandard()).Select(n => n.OpType).Distinct().Where(o => OpsetRaise.ChangedSince.Contains(o)).DefaultIfEmpty("an operator"));

    /// <summary>Whether a function's nodes mean the same in the model's operator set: its own, or a later one that spells them alike.</summary>
    private static bool IsSpelledAlike(Graph graph, FunctionProto function) =>
        function.OpsetImport.Where(o => o.Domain is "" or "ai.onnx").All(o => o.Version == graph.Opset
            || o.Version >= OpsetRaise.Target && o.Version < graph.Opset && !function.Node.Any(n => n.IsStandard() && OpsetRaise.ChangedSince.Contains(n.OpType)));

    private static bool? Condition(Graph graph, string name)
    {
        var stored = graph.Initializers.GetValueOrDefault(name) ?? graph.Nodes.FirstOrDefault(n => n.IsStandard() && n.OpType == "Constant" && n.Output[0] == name)?.Find("value")?.T;
        return stored is null ? null : stored.ToInt64() is not [0];
    }

    private static List<NodeProto> Call(Graph graph, FunctionProto function, NodeProto call)
    {
        var names = function.Input.Select((name, i) => (name, Given: call.InputOrNull(i) ?? "")).ToDictionary(p => p.name, p => p.Given);
        var nodes = Placed(graph, call.Name, function.Node, names);
        foreach (var node in nodes)
            foreach (var attribute in node.Attribute.Where(a => a.HasRefAttrName).ToList())
            {
                node.Attribute.Remove(attribute);
                if ((call.Find(attribute.RefAttrName) ?? function.AttributeProto.FirstOrDefault(a => a.Name == attribute.RefAttrName)) is not { } given) continue;
                given = given.Clone();
                given.Name = attribute.Name;
                node.Attribute.Add(given);
            }
        nodes.AddRange(Results(graph, call, [.. function.Output.Select(o => names.GetValueOrDefault(o, o))]));
        return nodes;
    }

    public static List<NodeProto> Branch(Graph graph, GraphProto branch, NodeProto call)
    {
        var names = Stored(graph, branch, call.Name);
        return [.. Placed(graph, call.Name, branch.Node, names), .. Results(graph, call, [.. branch.Output.Select(o => names.GetValueOrDefault(o.Name, o.Name))])];
    }

    /// <summary>An inner graph's stored tensors, moved to the outer one: old name to new.</summary>
    public static Dictionary<string, string> Stored(Graph graph, GraphProto inner, string prefix)
    {
        var names = new Dictionary<string, string>();
        foreach (var tensor in inner.Initializer)
        {
            var copy = tensor.Clone();
            copy.Name = $"{prefix}/{tensor.Name}";
            names[tensor.Name] = graph.AddInitializer(copy);
        }
        return names;
    }

    /// <summary>Copies of <paramref name="body"/> that read what <paramref name="names"/> says, with fresh names, which are added to it.</summary>
    public static List<NodeProto> Placed(Graph graph, string prefix, IEnumerable<NodeProto> body, Dictionary<string, string> names)
    {
        var copies = body.Select(n => n.Clone()).ToList();
        foreach (var output in copies.SelectMany(n => n.Output).Where(o => o.Length > 0)) names[output] = graph.Fresh($"{prefix}/{output}");
        foreach (var copy in copies)
        {
            copy.Name = graph.Fresh($"{prefix}/{(copy.Name.Length > 0 ? copy.Name : copy.OpType)}");
            Rename(copy, names);
            for (var i = 0; i < copy.Output.Count; i++) copy.Output[i] = names.GetValueOrDefault(copy.Output[i], "");
        }
        return copies;
    }

    /// <summary>Gives <paramref name="results"/> the names that <paramref name="call"/> has for them. A result may be an input, or wanted twice: a copy serves every case.</summary>
    public static IEnumerable<NodeProto> Results(Graph graph, NodeProto call, IReadOnlyList<string> results) =>
        call.Output.Select((o, i) => (Output: o, Result: i)).Where(r => r.Output.Length > 0)
            .Select(r => Nodes.Create("Identity", [results[r.Result]], [r.Output], graph.Fresh($"{call.Name}/result{r.Result}")));

    private static void Rename(NodeProto node, Dictionary<string, string> names)
    {
        for (var i = 0; i < node.Input.Count; i++) node.Input[i] = names.GetValueOrDefault(node.Input[i], node.Input[i]);
        foreach (var nested in Nodes.Nested(node))
        {
            var inner = names.Where(p => !nested.Initializer.Any(t => t.Name == p.Key) && !nested.Node.Any(n => n.Output.Contains(p.Key))).ToDictionary();
            foreach (var innerNode in nested.Node) Rename(innerNode, inner);
            foreach (var output in nested.Output) output.Name = inner.GetValueOrDefault(output.Name, output.Name);
        }
    }
}
