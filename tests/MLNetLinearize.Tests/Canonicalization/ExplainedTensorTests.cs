using MLNetLinearize.Canonicalization;
using MLNetLinearize.Linearization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Tests.Rules;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Tests.Canonicalization;

/// <summary>A model that has nothing to explain is told why, in the words of its own inputs and outputs.</summary>
public class ExplainedTensorTests
{
    [Fact]
    public void A_sequence_is_no_tensor()
    {
        var net = new Net(17, 1);
        var model = net.Build(net.Op("SequenceConstruct", [net.Op("Relu", [net.Input("x", "N", 3)])]));
        model.Graph.Output[0].Type = new TypeProto { SequenceType = new TypeProto.Types.Sequence { ElemType = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)DataType.Float } } } };
        var message = Assert.Throws<UnsupportedOperatorException>(() => Compiler.Compile(model, new())).Message;
        Assert.Contains("no float output to explain, and this node makes one of [SequenceConstruct2_0: sequence of Float]", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_label_has_no_slope()
    {
        var net = new Net(17, 1);
        var scores = net.Op("Gemm", [net.Input("x", "N", 3), net.Weights(3, 2), net.Weights(2)]);
        var model = net.Build(net.Op("ArgMax", [scores], ("axis", 1), ("keepdims", 0)));
        model.Graph.Output[0].Type.TensorType.ElemType = (int)DataType.Int64;
        var message = Assert.ThrowsAny<Exception>(() => Compiler.Compile(model, new())).Message;
        Assert.Contains("no float output to explain", message, StringComparison.Ordinal);
        Assert.Contains("ArgMax", message, StringComparison.Ordinal);
        Assert.DoesNotContain("0 nodes", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_classifier_that_gives_only_its_label_is_asked_for_scores()
    {
        var net = new Net(17, 1);
        var outputs = net.Classicals("LinearClassifier", 2, [net.Input("x", "N", 3)], ("coefficients", new[] { 1f, 2, 3, -1, -2, -3 }), ("intercepts", new[] { 0f, 1 }), ("classlabels_ints", Net.L(0, 1)), ("multi_class", 1L));
        var model = net.Build(outputs[0]);
        model.Graph.Output[0].Type.TensorType.ElemType = (int)DataType.Int64;
        Assert.Contains("A class label has no slope: export the model with its scores or probabilities", Refused(model), StringComparison.Ordinal);
    }

    [Fact]
    public void Whole_numbers_have_no_slope()
    {
        var net = new Net(17, 1);
        var table = net.Weights(5, 2);
        var model = net.Build(net.Op("Gather", [table, net.Input("token", DataType.Int64, "N", 3)]));
        var message = Assert.Throws<UnsupportedOperatorException>(() => Compiler.Compile(model, new())).Message;
        Assert.Contains("it reads [token: Int64], and only float numbers have a slope", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Constants_need_no_explanation()
    {
        var net = new Net(17, 1);
        Assert.Contains("takes no input", Refused(net.Build(net.Op("Relu", [net.Weights(2, 3)]), 2L, 3L)), StringComparison.Ordinal);
    }

    private static string Refused(ModelProto model)
    {
        var error = Assert.Throws<InvalidModelException>(() => Compiler.Compile(model, new()));
        Assert.True(error.IsModelSound);
        return error.Message;
    }
}
