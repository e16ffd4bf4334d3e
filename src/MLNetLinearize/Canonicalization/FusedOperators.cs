using MLNetLinearize.Onnx;

namespace MLNetLinearize.Canonicalization;

/// <summary>
/// Splits what optimizers and exporters fused, so that each rule sees one operation: ONNX Runtime's own fused operators
/// (domain com.microsoft) back to standard ones, n-ary Max and Min to pairs, batch-first cells to time-first ones, and
/// inference-time Dropout to nothing.
/// </summary>
internal static class FusedOperators
{
    private const string Microsoft = "com.microsoft";

    public static void Split(Graph graph, IReadOnlyCollection<string> named)
    {
        var nodes = new List<NodeProto>(graph.Nodes.Count);
        var renamed = new Dictionary<string, string>();
        var kept = graph.Outputs.Select(o => o.Name).Concat(named).ToHashSet();
        // Inner graphs read outer tensors by name; with one about, nothing is renamed.
        var flat = graph.Nodes.All(n => n.Attribute.All(a => a.G is null && a.Graphs.Count == 0));
        foreach (var node in graph.Nodes)
        {
            for (var i = 0; i < node.Input.Count; i++)
                if (renamed.TryGetValue(node.Input[i], out var name)) node.Input[i] = name;
            if (flat && IsNoOp(graph, node) && !kept.Contains(node.Output[0])) renamed[node.Output[0]] = node.Input[0];
            else nodes.AddRange(TransformerFusions.Written(graph, node) ?? Pieces(graph, node));
        }
        graph.Nodes = nodes;
    }

    private static bool IsNoOp(Graph graph, NodeProto node) => node.IsStandard() && node.OpType switch
    {
        "Identity" => true,
        "Dropout" => IsInference(graph, node) && (node.Output.Count == 1 || node.Output[1].Length == 0 || !graph.Nodes.Any(n => n.Input.Contains(node.Output[1]))),
        _ => false,
    };

    /// <summary>A missing or false <c>training_mode</c>, or nothing to drop; what is computed cannot be known and is left to be refused.</summary>
    private static bool IsInference(Graph graph, NodeProto node) =>
        node.InputOrNull(2) is not { } mode || Stored(graph, mode)?.ToInt64() is [0] || node.InputOrNull(1) is { } ratio && Stored(graph, ratio)?.ToSingle() is [0];

    private static TensorProto? Stored(Graph graph, string name) => graph.Initializers.GetValueOrDefault(name)
        ?? (graph.Nodes.FirstOrDefault(n => n.Output.Contains(name)) is { OpType: "Constant" } constant ? constant.Find("value")?.T : null);

    private static IEnumerable<NodeProto> Pieces(Graph graph, NodeProto node) => (node.Domain, node.OpType) switch
    {
        (Microsoft, "FusedConv") => Activated(graph, node, "Conv"),
        (Microsoft, "FusedGemm") => Activated(graph, node, "Gemm"),
        (Microsoft, "FusedMatMul" or "TransposeMatMul") when !FusedProducts.MovesBatches(node) => FusedProducts.MatMul(graph, node),
        (Microsoft, "MatMulNBits") => FusedProducts.OfPackedWeights(graph, node),
        ("" or "ai.onnx", "Max" or "Min") when node.Input.Count != 2 => Pairs(graph, node),
        // The order of storage is that of the indices alone.
        ("" or "ai.onnx", "MaxPool") when node.Int("storage_order", 0) != 0 && !graph.Nodes.Any(n => node.Output.Count > 1 && n.Input.Contains(node.Output[1])) => [WithoutIndices(node)],
        ("" or "ai.onnx", "RNN" or "GRU" or "LSTM") when node.Int("layout", 0) != 0 => RecurrentCells.TimeFirst(graph, node),
        ("" or "ai.onnx", "Dropout") when IsInference(graph, node) => InferenceDropout(graph, node),
        _ => [node],
    };

    private static NodeProto WithoutIndices(NodeProto node)
    {
        while (node.Output.Count > 1) node.Output.RemoveAt(1);
        return node.Remove("storage_order");
    }

    private static IEnumerable<NodeProto> Activated(Graph graph, NodeProto node, string op)
    {
        // Left as they are, to be refused by name: a residual operand Z of FusedConv, and activations not listed here.
        var activation = node.Text("activation", "");
        if (node.Input.Count > 3 || !Activations.TryGetValue(activation, out var names)) return [node];
        // FusedConv lists its parameters; FusedGemm names each.
        var parameters = node.Find("activation_params")?.Floats.ToArray()
            ?? [.. names.Select(n => node.Find($"activation_{n}")).TakeWhile(a => a is not null).Select(a => a!.F)];
        if (activation == "Clip" && parameters.Length != 2 || parameters.Length > names.Length) return [node];
        var output = node.Output[0];
        var middle = graph.Fresh($"{output}/before_{activation}");
        node.Domain = "";
        node.OpType = op;
        node.Output[0] = middle;
        node.Remove("activation", "activation_params", "activation_alpha", "activation_beta", "activation_gamma");
        var second = Nodes.Create(activation.Length > 0 ? activation : "Identity", [middle], [output], graph.Fresh($"{output}/{activation}"));
        for (var i = 0; i < parameters.Length; i++)
        {
            // Clip takes its bounds as inputs; a parameter that is left out keeps the operator's own default.
            if (activation == "Clip") second.Input.Add(graph.AddInitializer(Tensors.Of($"{output}/{names[i]}", [parameters[i]])));
            else second.Set(names[i], parameters[i]);
        }
        return [node, second];
    }

    /// <summary>Activations that ONNX Runtime fuses, with the parameters that come along, in their order.</summary>
    private static readonly Dictionary<string, string[]> Activations = new(StringComparer.Ordinal)
    {
        [""] = [],
        ["Relu"] = [],
        ["Sigmoid"] = [],
        ["Tanh"] = [],
        ["Softplus"] = [],
        ["Softsign"] = [],
        ["LeakyRelu"] = ["alpha"],
        ["ThresholdedRelu"] = ["alpha"],
        ["Elu"] = ["alpha"],
        ["Celu"] = ["alpha"],
        ["Selu"] = ["alpha", "gamma"],
        ["HardSigmoid"] = ["alpha", "beta"],
        ["Clip"] = ["min", "max"],
    };

    private static IEnumerable<NodeProto> Pairs(Graph graph, NodeProto node)
    {
        var output = node.Output[0];
        if (node.Input.Count == 1) return [Nodes.Create("Identity", node.Input, [output], node.Name)];
        var pieces = new List<NodeProto>();
        var left = node.Input[0];
        for (var i = 1; i < node.Input.Count; i++)
        {
            var result = i == node.Input.Count - 1 ? output : graph.Fresh($"{output}/{i}");
            pieces.Add(Nodes.Create(node.OpType, [left, node.Input[i]], [result], graph.Fresh($"{node.Name}/{i}")));
            left = result;
        }
        return pieces;
    }

    private static IEnumerable<NodeProto> InferenceDropout(Graph graph, NodeProto node)
    {
        // Only the kept value is wanted; a mask that is read too is all true at inference.
        yield return Nodes.Create("Identity", [node.Input[0]], [node.Output[0]], node.Name);
        if (node.Output.Count < 2 || node.Output[1].Length == 0) yield break;
        yield return Nodes.Create("Equal", [node.Input[0], node.Input[0]], [node.Output[1]], graph.Fresh($"{node.Name}/mask"));
    }
}
