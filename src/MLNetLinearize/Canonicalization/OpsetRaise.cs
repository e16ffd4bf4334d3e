using MLNetLinearize.Onnx;

namespace MLNetLinearize.Canonicalization;

/// <summary>
/// Rewrites nodes of older operator sets in the spelling of version 18, so that each rule knows one spelling. Models of
/// later versions are left at theirs: from 18 on, the operators at hand are written alike. Sources: the change log of the
/// ONNX operators, version by version.
/// </summary>
internal static class OpsetRaise
{
    public const long Target = 18;

    /// <summary>The first whose QuantizeLinear makes 16-bit integers.</summary>
    private const long WideQuantization = 21;

    /// <summary>Operators whose inputs or attributes changed their meaning or names behind <see cref="Target"/>.</summary>
    public static readonly IReadOnlyList<string> ChangedSince = ["DFT", "GridSample", "GroupNormalization"];

    /// <param name="graph">Rewritten in place.</param>
    /// <param name="hasWideQuantization">Whether it may quantize to 16 bits.</param>
    public static void Apply(Graph graph, bool hasWideQuantization = false)
    {
        if (graph.Opset < Target) RaiseToTarget(graph);
        if (!hasWideQuantization || graph.Opset >= WideQuantization || graph.Nodes.Exists(n => n.IsStandard() && ChangedSince.Contains(n.OpType))) return;
        graph.Opset = WideQuantization;
        graph.Header.IrVersion = Math.Max(graph.Header.IrVersion, 10);
    }

    private static void RaiseToTarget(Graph graph)
    {
        var from = graph.Opset;
        var raised = new List<NodeProto>(graph.Nodes.Count);
        foreach (var node in graph.Nodes)
        {
            if (node.IsStandard()) Raise(graph, node, from);
            if (from < 13 && node.IsStandard() && node.OpType is ("Softmax" or "LogSoftmax" or "Hardmax")) raised.AddRange(CoerceTo2D(graph, node));
            else if (from < 7 && node.IsStandard() && node.OpType is "Add" or "Sub" or "Mul" or "Div" or "Pow" or "And" or "Or" or "Equal" or "Greater" or "Less" or "PRelu") raised.AddRange(LegacyBroadcast(graph, node));
            else raised.Add(node);
        }
        graph.Nodes = raised;
        graph.Opset = Target;
        graph.Header.IrVersion = Math.Max(graph.Header.IrVersion, 8); // the first IR version that knows opset 18
    }

    private static void Raise(Graph graph, NodeProto node, long from)
    {
        node.Remove("consumed_inputs");
        switch (node.OpType)
        {
            case "Gemm" when from < 7:
                node.Remove("broadcast");
                break;
            case "BatchNormalization":
                node.Remove("spatial", "is_test");
                while (from < 14 && node.Output.Count > 1) node.Output.RemoveAt(node.Output.Count - 1);
                break;
            case "Dropout" when from < 12:
                node.Remove("ratio", "is_test");
                break;
            case "Cast" when from < 6 && node.Find("to") is { } to && to.S.Length > 0:
                node.Set("to", (long)Enum.Parse<TensorProto.Types.DataType>(to.S.ToStringUtf8(), ignoreCase: true));
                break;
            case "Clip" when from < 11:
                Append(graph, node, node.Find("min") is { } min ? Tensors.Of("min", [min.F]) : null, node.Find("max") is { } max ? Tensors.Of("max", [max.F]) : null);
                node.Remove("min", "max");
                break;
            case "Reshape" when from < 5 && node.Ints("shape") is { } shape:
                Append(graph, node, Tensors.Of("shape", shape, shape.Length));
                node.Remove("shape");
                break;
            case "Squeeze" or "Unsqueeze" or "ReduceSum" when from < 13:
            case "ReduceMean" or "ReduceMax" or "ReduceMin" or "ReduceProd" or "ReduceL1" or "ReduceL2" or "ReduceLogSum" or "ReduceLogSumExp" or "ReduceSumSquare":
                if (node.Ints("axes") is { } axes) Append(graph, node, Tensors.Of("axes", axes, axes.Length));
                node.Remove("axes");
                break;
            case "Split":
                RaiseSplit(graph, node);
                break;
            case "Slice" when from < 10:
                RaiseSlice(graph, node);
                break;
            case "Pad" when from < 11:
                var pads = node.Ints("pads") ?? node.Ints("paddings") ?? throw new InvalidModelException($"{node.Describe()} of opset {from} has no attribute 'pads'.");
                Append(graph, node, Tensors.Of("pads", pads, pads.Length), Tensors.Of("value", [node.Float("value", 0)]));
                node.Remove("pads", "paddings", "value");
                break;
            case "TopK" when from < 10:
                Append(graph, node, Tensors.Of("k", [node.Int("k", 1)], 1));
                node.Remove("k");
                break;
            case "Upsample":
                RaiseUpsample(graph, node);
                break;
            case "Resize" when from < 11:
                node.Input.Insert(1, "");
                node.Set("coordinate_transformation_mode", "asymmetric").Set("nearest_mode", "floor");
                break;
            case "RoiAlign" when from < 16:
                node.Set("coordinate_transformation_mode", "output_half_pixel");
                break;
            case "Scatter":
                node.OpType = "ScatterElements";
                break;
        }
    }

    private static void Append(Graph graph, NodeProto node, params ReadOnlySpan<TensorProto?> tensors)
    {
        foreach (var tensor in tensors)
        {
            if (tensor is null)
            {
                node.Input.Add("");
                continue;
            }
            tensor.Name = $"{node.Output[0]}/{tensor.Name}";
            node.Input.Add(graph.AddInitializer(tensor));
        }
    }

    /// <summary>
    /// Before opset 7 the second operand was aligned at <c>axis</c> of the first (a list of slopes of PRelu at axis 1), at the
    /// right without it, as today. Axes of size 1 behind it move it there; how many, shape arithmetic says.
    /// </summary>
    private static IEnumerable<NodeProto> LegacyBroadcast(Graph graph, NodeProto node)
    {
        var axis = node.Find("axis")?.I ?? (node.OpType == "PRelu" ? 1 : null);
        node.Remove("broadcast", "axis");
        if (axis is not { } at) return [node];
        var to = new Replacement(graph, node);
        var (first, second) = (to.Op("Shape", [node.Input[0]]), to.Op("Shape", [node.Input[1]]));
        var behind = to.Op("Sub", [to.Op("Sub", [to.Op("Size", [first]), to.Ints(at)]), to.Op("Size", [second])]);
        var one = Tensors.Of("", [1L], 1);
        // A single slope is aligned nowhere.
        if (node.OpType == "PRelu") behind = to.Op("Mul", [behind, to.Op("Cast", [to.Op("Greater", [to.Op("Size", [node.Input[1]]), to.Ints(1)])], ("to", (long)TensorProto.Types.DataType.Int64))]);
        var ones = to.Op("ConstantOfShape", [to.Op("Max", [behind, to.Ints(0)])], ("value", one));
        node.Input[1] = to.Op("Reshape", [node.Input[1], to.Op("Concat", [second, ones], ("axis", 0L))]);
        return [.. to.Nodes, node];
    }

    private static void RaiseSplit(Graph graph, NodeProto node)
    {
        if (node.Ints("split") is { } sizes) Append(graph, node, Tensors.Of("split", sizes, sizes.Length));
        else if (node.InputOrNull(1) is null) node.Set("num_outputs", node.Output.Count);
        node.Remove("split");
    }

    private static void RaiseSlice(Graph graph, NodeProto node)
    {
        var starts = node.Ints("starts") ?? [];
        var ends = node.Ints("ends") ?? [];
        var axes = node.Ints("axes") ?? [.. Enumerable.Range(0, starts.Length).Select(i => (long)i)];
        Append(graph, node, Tensors.Of("starts", starts, starts.Length), Tensors.Of("ends", ends, ends.Length), Tensors.Of("axes", axes, axes.Length));
        node.Remove("starts", "ends", "axes");
    }

    private static void RaiseUpsample(Graph graph, NodeProto node)
    {
        node.OpType = "Resize";
        if (node.Find("scales") is { } scales) Append(graph, node, Tensors.Of("scales", scales.Floats.ToArray(), scales.Floats.Count));
        node.Remove("scales");
        node.Input.Insert(1, "");
        if (node.Text("mode", "nearest") is "bilinear") node.Set("mode", "linear");
        node.Set("coordinate_transformation_mode", "asymmetric").Set("nearest_mode", "floor");
    }

    /// <summary>Before opset 13, Softmax read its input as a matrix [dims before axis, dims from axis on].</summary>
    private static NodeProto[] CoerceTo2D(Graph graph, NodeProto node)
    {
        var (input, output) = (node.Input[0], node.Output[0]);
        var flat = graph.Fresh($"{output}/flat");
        var shape = graph.Fresh($"{output}/shape");
        var result = graph.Fresh($"{output}/softmax");
        var flatten = Nodes.Create("Flatten", [input], [flat], graph.Fresh(flat + "/node"), ("axis", node.Int("axis", 1)));
        var measure = Nodes.Create("Shape", [input], [shape], graph.Fresh(shape + "/node"));
        node.Input[0] = flat;
        node.Output[0] = result;
        node.Set("axis", -1L);
        return [flatten, measure, node, Nodes.Create("Reshape", [result, shape], [output], graph.Fresh(output + "/node"))];
    }
}
