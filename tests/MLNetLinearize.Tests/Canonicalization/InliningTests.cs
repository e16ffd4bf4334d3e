using MLNetLinearize.Onnx;
using MLNetLinearize.Tests.Rules;
using AttributeType = MLNetLinearize.Onnx.AttributeProto.Types.AttributeType;

namespace MLNetLinearize.Tests.Canonicalization;

/// <summary>A function or a branch means what its nodes mean in its place.</summary>
public class InliningTests
{
    private static readonly float[] Row = [0.5f, -1, 2, 0.25f];

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, false)]
    [InlineData(true, true)]
    public void The_branch_that_a_stored_condition_names_is_linearized(bool condition, bool fromConstantNode)
    {
        var flat = Flat();
        var model = flat.Clone();
        var (body, other) = (new GraphProto { Name = "body" }, new GraphProto { Name = "other" });
        body.Node.AddRange(model.Graph.Node);
        body.Output.Add(Value(model));
        other.Node.Add(Nodes.Create("ReduceSum", ["x"], ["other"], "other"));
        other.Output.Add(new ValueInfoProto { Name = "other", Type = Value(model).Type });
        var output = model.Graph.Output[0].Name;
        model.Graph.Node.Clear();
        var stored = Tensors.Raw("condition", TensorProto.Types.DataType.Bool, [condition ? (byte)1 : (byte)0], []);
        if (fromConstantNode) model.Graph.Node.Add(Nodes.Create("Constant", [], ["condition"], "constant", ("value", stored)));
        else model.Graph.Initializer.Add(stored);
        var choice = Nodes.Create("If", ["condition"], [output + "/chosen"], "choice");
        choice.Attribute.Add(new AttributeProto { Name = "then_branch", Type = AttributeType.Graph, G = condition ? body : other });
        choice.Attribute.Add(new AttributeProto { Name = "else_branch", Type = AttributeType.Graph, G = condition ? other : body });
        model.Graph.Node.Add(choice);
        model.Graph.Output[0].Name = output + "/chosen";
        AssertSame(flat, model);
    }

    /// <summary>Of the model's operator set, or of an earlier one, as PyTorch's functions of version 18 stay in a later model.</summary>
    [Theory]
    [InlineData(17, 17)]
    [InlineData(20, 18)]
    public void A_function_of_the_model_is_linearized_with_the_attributes_of_its_call(long opset, long ofFunction)
    {
        var net = new Net(opset, 6);
        var x = net.Input("x", "N", 4);
        var flat = net.Build(net.Op("Neg", [net.Op("LeakyRelu", [net.Op("Neg", [net.Op("LeakyRelu", [x], ("alpha", 0.25f))])], ("alpha", 0.5f))]));
        var model = flat.Clone();
        var function = new FunctionProto { Name = "Flipped", Domain = "local", Input = { "a" }, Output = { "c" }, Attribute = { "slope" }, OpsetImport = { new OperatorSetIdProto { Domain = "", Version = ofFunction } } };
        var leaky = Nodes.Create("LeakyRelu", ["a"], ["b"], "");
        leaky.Attribute.Add(new AttributeProto { Name = "alpha", Type = AttributeType.Float, RefAttrName = "slope" });
        function.Node.Add(leaky);
        function.Node.Add(Nodes.Create("Neg", ["b"], ["c"], ""));
        model.Functions.Add(function);
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "local", Version = 1 });
        model.Graph.Node.Clear();
        foreach (var (from, to, slope) in new[] { ("x", "middle", 0.25f), ("middle", flat.Graph.Output[0].Name, 0.5f) })
        {
            var call = Nodes.Create("Flipped", [from], [to], $"call of {from}", ("slope", slope));
            call.Domain = "local";
            model.Graph.Node.Add(call);
        }
        AssertSame(flat, model);
    }

    /// <summary>GroupNormalization's scale is one a group in version 18, and one a channel from 21 on.</summary>
    [Fact]
    public void A_function_of_another_operator_set_is_refused_as_one()
    {
        var net = new Net(21, 6);
        var x = net.Input("x", "N", 4);
        var model = net.Build(net.Op("Neg", [x]));
        model.Graph.Node[0].OpType = "Normed";
        model.Graph.Node[0].Domain = "local";
        model.Functions.Add(new FunctionProto
        {
            Name = "Normed",
            Domain = "local",
            Input = { "a" },
            Output = { "b" },
            OpsetImport = { new OperatorSetIdProto { Domain = "", Version = 18 } },
            Node = { Nodes.Create("GroupNormalization", ["a", net.Floats([1], 1), net.Floats([0], 1)], ["b"], "", ("num_groups", 1L)) },
        });
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "local", Version = 1 });
        var refused = Assert.Single(UnsupportedTests.Refused(model).Nodes);
        Assert.Equal("it is a function of the model's own, written for operator set 18, and the model is of 21, where GroupNormalization may mean something else", refused.Reason);
    }

    private static void AssertSame(ModelProto flat, ModelProto model)
    {
        using var original = new OriginalModel(model, model.Graph.Output[0].Name);
        var (expected, actual) = (Explain(flat), Explain(model));
        Agreement.AssertClose(original.Run("x", Row, [1, 4]).Widened(), actual.Scores.Widened(), "score", 2e-6);
        Assert.Equal(expected.Weights, actual.Weights);
        Assert.Equal(expected.Bias, actual.Bias);
    }

    private static LinearMap Explain(ModelProto model)
    {
        using var linearizer = new Linearizer(LinearizationGraph.Compile(CaseRun.Stream(model), new() { Targets = Targets.All }));
        return linearizer.Explain(Row);
    }

    private static ModelProto Flat()
    {
        var net = new Net(17, 5);
        var x = net.Input("x", "N", 4);
        return net.Build(net.Op("Gemm", [net.Op("Relu", [net.Op("Gemm", [x, net.Weights(4, 6), net.Weights(6)])]), net.Weights(6, 3), net.Weights(3)]), "N", 3L);
    }

    private static ValueInfoProto Value(ModelProto model) => model.Graph.Output[0].Clone();
}
