using System.Runtime.InteropServices;
using MLNetLinearize.Onnx;
using MLNetLinearize.Tests.Rules;
using static MLNetLinearize.Tests.Rules.Agreement;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Tests.Canonicalization;

/// <summary>Networks in half, bfloat16 and double precision: computed, and explained, as the float32 network of the same weights.</summary>
public class PrecisionTests
{
    private static readonly float[] Row = [0.3f, -1.2f, 0.8f, 0.1f, 1.4f, -0.6f, 0.5f, -0.9f, 1.1f, -0.2f, 0.7f, -1.5f];

    private static readonly Dictionary<string, Func<Net, string, string>> Networks = new()
    {
        ["attention"] = (n, x) => n.Op("Attention", [x, n.Op("MatMul", [x, n.Weights(4, 4)]), n.Op("MatMul", [x, n.Weights(4, 4)])], ("q_num_heads", 2L), ("kv_num_heads", 2L)),
        ["convolution"] = (n, x) => n.Op("Relu", [n.Op("Conv", [x, n.Weights(2, 3, 2), n.Weights(2)])]),
        ["normalization"] = (n, x) => n.Op("MatMul", [n.Op("Sigmoid", [n.Op("LayerNormalization", [x, n.Weights(4), n.Weights(4)])]), n.Weights(4, 2)]),
    };

    public static TheoryData<string, int> Cases
    {
        get
        {
            var cases = new TheoryData<string, int>();
            foreach (var name in Networks.Keys)
                foreach (var type in new[] { DataType.Float16, DataType.Bfloat16, DataType.Double }) cases.Add(name, (int)type);
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_network_of_another_precision_is_the_float32_network_of_its_weights(string name, int type)
    {
        var original = In((DataType)type, Build(name));
        var rounded = original.Clone();
        foreach (var tensor in rounded.Graph.Initializer.Where(t => t.ElementType() == (DataType)type).ToList())
            rounded.Graph.Initializer[rounded.Graph.Initializer.IndexOf(tensor)] = Tensors.Of(tensor.Name, tensor.ToSingle(), tensor.Dims.ToArray());
        foreach (var value in rounded.Graph.Input.Concat(rounded.Graph.Output)) value.Type.TensorType.ElemType = (int)DataType.Float;
        var (actual, note) = Explain(original);
        var (expected, none) = Explain(rounded);
        AssertClose(expected.Weights.ToRowMajorArray().Widened(), actual.Weights.ToRowMajorArray().Widened(), "W", 1e-6);
        AssertClose(expected.Bias.Widened(), actual.Bias.Widened(), "b", 1e-6);
        AssertClose(expected.Scores.Widened(), actual.Scores.Widened(), "score", 1e-6);
        Assert.Contains($"holds {(DataType)type} numbers; it is computed, and explained, in float32", note, StringComparison.Ordinal);
        Assert.DoesNotContain("in float32", none, StringComparison.Ordinal);
        for (var k = 0; k < actual.Targets.Count; k++) AssertExact(actual, k, $"target {k}");
    }

    /// <summary>Between casts, so that ONNX Runtime's own kernel of that precision can be fed and read: half knows eleven bits.</summary>
    [Theory]
    [InlineData("attention", (int)DataType.Float16, 4e-3)]
    [InlineData("normalization", (int)DataType.Double, 1e-6)]
    public void The_score_is_what_the_kernel_of_that_precision_gives(string name, int type, double tolerance)
    {
        var net = new Net(23, 4);
        var y = Networks[name](net, net.Op("Cast", [net.Input("x", "N", 3, 4)], ("to", (long)type)));
        var model = net.Build(net.Op("Cast", [y], ("to", (long)DataType.Float)));
        for (var i = 0; i < model.Graph.Initializer.Count; i++) model.Graph.Initializer[i] = In((DataType)type, model.Graph.Initializer[i]);
        using var original = new OriginalModel(model, model.Graph.Output[0].Name);
        AssertClose(original.Run("x", Row, [1, 3, 4]).Widened(), Explain(model).Map.Scores.Widened(), "score", tolerance);
    }

    /// <summary>Attributes name types as well: of what is made of integers, and of a matrix of ones.</summary>
    [Fact]
    public void Types_that_attributes_name_are_computed_in_float32()
    {
        var net = new Net(23, 4);
        var half = (long)DataType.Float16;
        var rounded = net.Op("DequantizeLinear", [net.Op("QuantizeLinear", [net.Input("x", "N", 4), net.Scalar(0.01f), net.SignedBytes(0)]), net.Scalar(0.01f)], ("output_dtype", half));
        var ones = net.Op("EyeLike", [net.Weights(4, 4)], ("dtype", half));
        var model = net.Build(net.Op("Cast", [net.Op("MatMul", [rounded, ones])], ("to", (long)DataType.Float)));
        using var linearizer = new Linearizer(LinearizationGraph.Compile(CaseRun.Stream(model), new() { Targets = Targets.All }));
        var map = linearizer.Explain([0.301f, -1.199f, 0.8f, 1.5f]);
        AssertClose([0.3, -1.2, 0.8, 1.27], map.Scores.Widened(), "score", 1e-6);
        AssertClose([1, 1, 1, 0], map.Weights.Diagonal().Widened(), "W", 1e-6);
        Assert.Contains("holds Float16 numbers", string.Join(' ', linearizer.Graph.Report.Notes), StringComparison.Ordinal);
    }

    /// <summary>Inner graphs have types of their own.</summary>
    [Theory]
    [InlineData("Loop")]
    [InlineData("If")]
    public void Inner_graphs_in_half_precision_are_computed_in_float32(string op)
    {
        var net = new Net(21, 4);
        var half = (long)DataType.Float16;
        var x = net.Op("Cast", [net.Input("x", "N", 3, 4)], ("to", half));
        var y = op == "Loop"
            ? net.Op("Loop", [net.Ints([3], []), "", x], ("body", Inner("i", "go", "state")))
            : net.Op("If", [net.Booleans([true])], ("then_branch", Inner()), ("else_branch", Inner()));
        var model = net.Build(net.Op("Cast", [y], ("to", (long)DataType.Float)));
        using var original = new OriginalModel(model, model.Graph.Output[0].Name);
        // Half knows eleven bits.
        AssertClose(original.Run("x", Row, [1, 3, 4]).Widened(), Explain(model).Map.Scores.Widened(), "score", 4e-3);

        GraphProto Inner(params string[] inputs)
        {
            var state = inputs.Length > 0 ? inputs[^1] : x;
            var inner = new GraphProto { Name = "inner", Initializer = { In(DataType.Float16, Tensors.Of("w", [0.5f])) } };
            inner.Node.Add(Nodes.Create("Mul", [state, "w"], ["scaled"], "scale"));
            inner.Node.Add(Nodes.Create("Relu", ["scaled"], ["kept"], "keep"));
            inner.Node.Add(Nodes.Create("Add", ["kept", "w"], ["out"], "add"));
            if (inputs.Length > 0)
            {
                inner.Input.Add(Graph.Value("i", DataType.Int64, []));
                inner.Input.Add(Graph.Value("go", DataType.Bool, []));
                inner.Input.Add(new ValueInfoProto { Name = "state", Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)DataType.Float16 } } });
                inner.Node.Add(Nodes.Create("Identity", ["go"], ["goes on"], "go on"));
                inner.Output.Add(new ValueInfoProto { Name = "goes on" });
            }
            inner.Output.Add(new ValueInfoProto { Name = "out" });
            return inner;
        }
    }

    private static ModelProto Build(string name)
    {
        var net = new Net(23, 4);
        return net.Build(Networks[name](net, net.Input("x", "N", 3, 4)));
    }

    private static (LinearMap Map, string Notes) Explain(ModelProto model)
    {
        using var linearizer = new Linearizer(LinearizationGraph.Compile(CaseRun.Stream(model), new() { Targets = Targets.All, InputShapes = new Dictionary<string, IReadOnlyList<int>> { ["x"] = [1, 3, 4] } }));
        return (linearizer.Explain(Row), string.Join(' ', linearizer.Graph.Report.Notes));
    }

    private static ModelProto In(DataType type, ModelProto model)
    {
        for (var i = 0; i < model.Graph.Initializer.Count; i++) model.Graph.Initializer[i] = In(type, model.Graph.Initializer[i]);
        foreach (var value in model.Graph.Input.Concat(model.Graph.Output)) value.Type.TensorType.ElemType = (int)type;
        return model;
    }

    private static TensorProto In(DataType type, TensorProto tensor)
    {
        if (tensor.ElementType() != DataType.Float) return tensor;
        var values = tensor.ToSingle();
        return Tensors.Raw(tensor.Name, type, type switch
        {
            DataType.Float16 => MemoryMarshal.AsBytes(values.Select(v => (Half)v).ToArray().AsSpan()),
            // The upper half of a float32.
            DataType.Bfloat16 => MemoryMarshal.AsBytes(values.Select(v => (ushort)(BitConverter.SingleToUInt32Bits(v) >> 16)).ToArray().AsSpan()),
            _ => MemoryMarshal.AsBytes(values.Select(v => (double)v).ToArray().AsSpan()),
        }, tensor.Dims.ToArray());
    }
}
