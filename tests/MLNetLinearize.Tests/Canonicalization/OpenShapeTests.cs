using MLNetLinearize.Canonicalization;
using MLNetLinearize.Linearization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Tests.Rules;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Tests.Canonicalization;

/// <summary>What shapes leave open is told once, of all inputs.</summary>
public class OpenShapeTests
{
    [Fact]
    public void Every_open_size_of_every_input_is_told_at_once()
    {
        var error = Assert.Throws<InvalidModelException>(() => Compiler.Compile(Sum("N", "T", "F"), new()));
        Assert.Equal("Input 'x' leaves dimensions 1 and 2 of [N, T, F] open, input 'y' leaves dimension 2 of [N, 3, F] open. " +
            "Give the sizes in InputShapes[\"x\"] and InputShapes[\"y\"], the batch dimension first.", error.Message);
    }

    [Fact]
    public void What_is_given_is_asked_for_no_more()
    {
        var given = new LinearizeOptions { InputShapes = new Dictionary<string, IReadOnlyList<int>> { ["x"] = [1, 3, 2] } };
        var error = Assert.Throws<InvalidModelException>(() => Compiler.Compile(Sum("N", "T", "F"), given));
        Assert.Equal("Input 'y' leaves dimension 2 of [N, 3, F] open. Give the sizes in InputShapes[\"y\"], the batch dimension first.", error.Message);
        var both = new LinearizeOptions { InputShapes = new Dictionary<string, IReadOnlyList<int>> { ["x"] = [1, 3, 2], ["y"] = [1, 3, 2] } };
        Assert.Equal([3, 2], Compiler.Compile(Sum("N", "T", "F"), both).Inputs[0].RowShape);
    }

    [Fact]
    public void Inputs_without_a_shape_are_told_too()
    {
        var model = Sum("N", "T", 2);
        model.Graph.Input[1].Type.TensorType.Shape = null;
        var error = Assert.Throws<InvalidModelException>(() => Compiler.Compile(model, new()));
        Assert.Equal("Input 'x' leaves dimension 1 of [N, T, 2] open, input 'y' declares no shape. " +
            "Give the sizes in InputShapes[\"x\"] and InputShapes[\"y\"], the batch dimension first.", error.Message);
    }

    private static ModelProto Sum(params object[] dims)
    {
        var net = new Net(17, 1);
        var sum = net.Op("Add", [net.Input("x", dims), net.Input("y", dims[0], 3L, dims[2])]);
        return net.Build(net.Op("ReduceSum", [sum], ("keepdims", 0)));
    }
}
