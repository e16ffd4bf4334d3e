using MLNetLinearize.Onnx;
using MLNetLinearize.Runtime;
using MLNetLinearize.Tests.Rules;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Tests.Canonicalization;

/// <summary>ONNX Runtime's own fused operators, against ONNX Runtime's own output.</summary>
public class FusedOperatorTests
{
    public static TheoryData<string, float[]> Activations => new()
    {
        { "Relu", [] }, { "Sigmoid", [] }, { "Tanh", [] }, { "LeakyRelu", [0.3f] }, { "HardSigmoid", [0.15f, 0.4f] },
    };

    public static TheoryData<string, float[]> GemmActivations => new()
    {
        { "Relu", [] }, { "Sigmoid", [] }, { "Tanh", [] }, { "LeakyRelu", [0.3f] }, { "Elu", [0.2f] }, { "HardSigmoid", [0.15f, 0.4f] },
        { "Selu", [1.2f, 1.4f] }, { "Celu", [0.7f] }, { "ThresholdedRelu", [0.1f] }, { "Softsign", [] }, { "Softplus", [] },
    };

    [Theory]
    [MemberData(nameof(GemmActivations))]
    public void A_fused_product_keeps_its_activation_and_parameters(string activation, float[] parameters)
    {
        var net = new Net(17, 31);
        var y = net.Op("FusedGemm", [net.Input("x", "N", 4), net.Weights(4, 3), net.Weights(3)], ("activation", activation));
        var model = net.Build(y);
        string[] names = activation == "Selu" ? ["alpha", "gamma"] : ["alpha", "beta"];
        for (var i = 0; i < parameters.Length; i++) model.Graph.Node[0].Set($"activation_{names[i]}", parameters[i]);
        AgreesWithOnnxRuntime(Foreign(model), y, [4]);
    }

    [Theory]
    [MemberData(nameof(Activations))]
    public void A_fused_convolution_keeps_its_activation_and_parameters(string activation, float[] parameters)
    {
        var net = new Net(17, 32);
        var y = net.Op("FusedConv", [net.Input("x", "N", 2, 5, 5), net.Weights(3, 2, 3, 3), net.Weights(3)], ("activation", activation), ("kernel_shape", Net.L(3, 3)));
        var model = net.Build(y);
        if (parameters.Length > 0) model.Graph.Node[0].Set("activation_params", parameters);
        AgreesWithOnnxRuntime(Foreign(model), y, [2, 5, 5]);
    }

    [Fact]
    public void A_scaled_product_keeps_its_factor()
    {
        var net = new Net(17, 33);
        var y = net.Op("FusedMatMul", [net.Input("x", "N", 4), net.Weights(4, 3)], ("alpha", 0.25f));
        AgreesWithOnnxRuntime(Foreign(net.Build(y)), y, [4]);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 0)]
    public void A_product_of_transposed_operands_is_split(long transA, long transB)
    {
        var net = new Net(17, 35);
        var x = net.Input("x", "N", 3, 4);
        var y = net.Op("FusedMatMul", [x, transA == 1 ? net.Weights(3, 2) : net.Weights(2, 4)], ("transA", transA), ("transB", transB));
        AgreesWithOnnxRuntime(Foreign(net.Build(y)), y, [3, 4]);
    }

    /// <summary>An operand with its rows in front of its batch axes.</summary>
    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, 1)]
    [InlineData(1, 0)]
    public void A_product_of_operands_with_rows_in_front_of_batches_is_put_right(long transA, long transB)
    {
        var net = new Net(17, 36);
        // x: [rows 1 of the data set, 3 rows, batch 2, 4 columns] of batches [1, 2]; the weights: [4 rows, batches 1, 2, 5 columns].
        var (x, w) = (net.Input("x", "N", 3, 2, 4), transB == 0 ? net.Weights(4, 1, 2, 5) : net.Weights(5, 1, 2, 4));
        var rowsFirst = net.Op("Transpose", [x], ("perm", transA == 0 ? Net.L(1, 0, 2, 3) : Net.L(3, 0, 2, 1)));
        var y = net.Op("FusedMatMul", [rowsFirst, w], ("transBatchA", 1L), ("transBatchB", 1L), ("transA", transA), ("transB", transB), ("alpha", 0.5f));
        AgreesWithOnnxRuntime(Foreign(net.Build(y), 1), y, [3, 2, 4]);
    }

    [Theory]
    [InlineData(4, 16, false)]
    [InlineData(4, 32, true)]
    [InlineData(8, 16, false)]
    public void Weights_packed_in_a_few_bits_are_unpacked(int bits, int block, bool zeroPoints)
    {
        const int columns = 32, rows = 3;
        var net = new Net(17, 37);
        var random = new Random(bits + block);
        byte[] Drawn(int count)
        {
            var bytes = new byte[count];
            random.NextBytes(bytes);
            return bytes;
        }
        var (x, blocks) = (net.Input("x", "N", columns), columns / block);
        string[] inputs = [x, net.Unsigned(Drawn(rows * columns * bits / 8), rows, blocks, block * bits / 8), net.Positive(rows * blocks)];
        // Every row's zero points begin with a byte of their own.
        if (zeroPoints) inputs = [.. inputs, net.Unsigned(Drawn(rows * ((blocks * bits + 7) / 8)), rows * ((blocks * bits + 7) / 8))];
        var y = net.Op("MatMulNBits", inputs, ("K", (long)columns), ("N", (long)rows), ("bits", (long)bits), ("block_size", (long)block));
        AgreesWithOnnxRuntime(Foreign(net.Build(y)), y, [columns]);
    }

    [Fact]
    public void Quantization_of_ONNX_Runtimes_own_domain_is_that_of_the_standard()
    {
        var net = new Net(17, 38);
        var quantized = net.Op("QuantizeLinear", [net.Input("x", "N", 4), net.Scalar(0.01f), net.Stored(DataType.Int16, [0, 0])]);
        var back = net.Op("DequantizeLinear", [quantized, net.Scalar(0.01f), net.Stored(DataType.Int16, [0, 0])]);
        var y = net.Op("MatMul", [back, net.Weights(4, 3)]);
        var model = Foreign(net.Build(y));
        model.Graph.Node[1].Domain = "com.microsoft";
        AgreesWithOnnxRuntime(model, y, [4]);
    }

    [Fact]
    public void An_activation_that_is_not_known_is_refused_by_name()
    {
        var net = new Net(17, 34);
        var model = Foreign(net.Build(net.Op("FusedGemm", [net.Input("x", "N", 4), net.Weights(4, 3)], ("activation", "Secret"))));
        var error = UnsupportedTests.Refused(model);
        Assert.Equal("com.microsoft.FusedGemm", Assert.Single(error.Nodes).Operator);
    }

    private static ModelProto Foreign(ModelProto model, int node = 0)
    {
        model.Graph.Node[node].Domain = "com.microsoft";
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "com.microsoft", Version = 1 });
        return model;
    }

    private static void AgreesWithOnnxRuntime(ModelProto model, string output, long[] row)
    {
        var random = new Random(4);
        var x = Enumerable.Range(0, (int)row.Aggregate(1L, (a, d) => a * d)).Select(_ => random.NextSingle() * 4 - 2).ToArray();
        using var original = new OriginalModel(model, output);
        using var session = new ExplanationSession(LinearizationGraph.Compile(CaseRun.Stream(model), new LinearizeOptions { Targets = Targets.All, ExplainedOutput = output }));
        var batch = session.Run(new Dictionary<string, Array> { ["x"] = x }, 1);
        Agreement.AssertClose(original.Run("x", x, [1, .. row]).Widened(), batch.AllSingle("Score").Widened(), "Score");
        Assert.All(batch.AllSingle("LinearizationError"), e => Assert.True(e < 1e-5f));
        Assert.All(session.Graph.Model.OpsetImport, o => Assert.True(o.Domain is "" or "ai.onnx"));
    }
}
