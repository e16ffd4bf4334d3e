using MLNetLinearize.Onnx;
using MLNetLinearize.Tests.Rules;

namespace MLNetLinearize.Tests;

/// <summary>What no session may see is refused by the name of its node.</summary>
public class SoundnessTests
{
    [Theory]
    [InlineData("Relu", 2, "it has 2 inputs, and the operator takes 1")]
    [InlineData("Add", 1, "it has 1 input, and the operator takes 2")]
    [InlineData("Clip", 4, "it has 4 inputs, and the operator takes 1 to 3")]
    [InlineData("Max", 0, "it has 0 inputs, and the operator takes 1 or more")]
    public void A_node_reads_as_many_tensors_as_its_operator(string op, int inputs, string why)
    {
        var net = new Net(17, 1);
        var x = net.Input("x", "N", 4);
        var y = net.Op(op, [.. Enumerable.Repeat(x, inputs)]);
        AssertRefused(net.Build(y), $"The model is damaged at {op} '{op}1': {why}.");
    }

    [Theory]
    [InlineData("Max", 1)]
    [InlineData("Concat", 0)]
    [InlineData("MatMul", 0)]
    public void A_tensor_that_must_be_there_is_not_left_out(string op, int missing)
    {
        var net = new Net(17, 2);
        var x = net.Input("x", "N", 4);
        string[] inputs = [x, x, x];
        inputs[missing] = "";
        var y = op == "MatMul" ? net.Op(op, inputs[..2]) : net.Op(op, inputs, ("axis", 1L));
        AssertRefused(net.Build(y), $"at {op} '{op}1': its input {missing} has no name, and must not be left out.");
    }

    [Fact]
    public void An_output_that_must_be_there_is_not_left_out()
    {
        var net = new Net(17, 3);
        var parts = net.Ops("Split", 2, [net.Input("x", "N", 4)], ("axis", 1L));
        var model = net.Build(parts[1]);
        model.Graph.Node[0].Output[0] = "";
        AssertRefused(model, "at Split 'Split1': its output 0 has no name, and must not be left out.");
    }

    [Fact]
    public void Statistics_of_a_training_normalization_are_all_named()
    {
        var net = new Net(15, 4);
        var y = net.Ops("BatchNormalization", 3, [net.Input("x", "N", 3, 2), net.Weights(3), net.Weights(3), net.Weights(3), net.Positive(3)], ("training_mode", 1L));
        var model = net.Build(y[0]);
        model.Graph.Node[0].Output[1] = "";
        AssertRefused(model, "its output 1 has no name");
    }

    [Fact]
    public void What_is_left_out_at_the_end_may_be_named_as_empty()
    {
        var net = new Net(17, 5);
        var model = net.Build(net.Op("LayerNormalization", [net.Input("x", "N", 4), net.Weights(4), ""]));
        using var linearizer = new Linearizer(LinearizationGraph.Compile(CaseRun.Stream(model), new() { Targets = Targets.All }));
        var plain = model.Clone();
        plain.Graph.Node[0].Input.RemoveAt(2);
        using var expected = new Linearizer(LinearizationGraph.Compile(CaseRun.Stream(plain), new() { Targets = Targets.All }));
        Assert.Equal(expected.Explain(new float[] { 1, 2, -3, 0.5f }).Weights, linearizer.Explain(new float[] { 1, 2, -3, 0.5f }).Weights);
    }

    [Fact]
    public void A_tensor_is_made_once()
    {
        var net = new Net(17, 6);
        var x = net.Input("x", "N", 4);
        var (a, b) = (net.Op("Relu", [x]), net.Op("Neg", [x]));
        var model = net.Build(b);
        model.Graph.Node[1].Output[0] = a;
        model.Graph.Output[0].Name = a;
        AssertRefused(model, $"at Neg 'Neg2': it makes '{a}', which another node makes or an input brings as well.");
    }

    [Fact]
    public void An_input_comes_once()
    {
        var net = new Net(17, 7);
        var model = net.Build(net.Op("Relu", [net.Input("x", "N", 4)]));
        model.Graph.Input.Add(model.Graph.Input[0].Clone());
        AssertRefused(model, "The model takes the input 'x' twice.");
    }

    [Theory]
    [InlineData("If", 1, "it has no graph 'then_branch'")]
    [InlineData("Loop", 3, "it has no graph 'body'")]
    [InlineData("Scan", 1, "it has no graph 'body'")]
    public void A_graph_that_a_node_runs_is_there(string op, int inputs, string why)
    {
        var net = new Net(17, 8);
        var x = net.Input("x", "N", 4);
        AssertRefused(net.Build(net.Op(op, [.. Enumerable.Repeat(x, inputs)])), $"The model is damaged at {op} '{op}1': {why}.");
    }

    [Theory]
    [InlineData(2, 2, "its graph 'body' has 2 inputs, and is handed 3")]
    [InlineData(3, 1, "its graph 'body' makes 1 tensors, and is asked for 2")]
    public void A_graph_takes_and_makes_what_its_node_does(int inputs, int outputs, string why)
    {
        var net = new Net(17, 9);
        var x = net.Input("x", "N", 4);
        var body = new GraphProto { Name = "body", Node = { Nodes.Create("Identity", ["go"], ["on"], "on") } };
        foreach (var name in ((string[])["round", "go", "carried"])[..inputs]) body.Input.Add(new ValueInfoProto { Name = name });
        foreach (var name in ((string[])["on", "go"])[..outputs]) body.Output.Add(new ValueInfoProto { Name = name });
        AssertRefused(net.Build(net.Op("Loop", [net.Ints([2], []), "", x], ("body", body))), $"The model is damaged at Loop 'Loop2': {why}.");
    }

    [Theory]
    [InlineData("FeatureVectorizer", "its inputdimensions has 0 numbers, and 1 is needed")]
    [InlineData("LinearRegressor", "its coefficients has 0 numbers, and 1 is needed")]
    [InlineData("SVMRegressor", "its rho has 0 numbers, and 1 is needed")]
    public void Numbers_of_a_classical_operator_are_there(string op, string why)
    {
        var net = new Net(17, 10);
        AssertRefused(net.Build(net.Classical(op, [net.Input("x", "N", 4)])), $"The model is damaged at ai.onnx.ml.{op} '{op}1': {why}.");
    }

    [Fact]
    public void Every_rule_has_a_signature()
    {
        string[] without = [.. MLNetLinearize.Rules.RuleTable.All.Keys.Where(o => !Signatures.Contains(o))];
        Assert.Empty(without);
    }

    private static void AssertRefused(ModelProto model, string message) =>
        Assert.Contains(message, Assert.Throws<InvalidModelException>(() => LinearizationGraph.Compile(CaseRun.Stream(model))).Message, StringComparison.Ordinal);
}
