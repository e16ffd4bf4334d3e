using MLNetLinearize.Onnx;
using MLNetLinearize.Runtime;
using MLNetLinearize.Tests.Rules;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Tests.Canonicalization;

/// <summary>Models of the domain ai.onnx.ml as scikit-learn's exporter lays them out: what is cut, kept, and refused.</summary>
public class ClassicalModelTests
{
    private static readonly float[] Weights = [0.4f, -1.2f, 0.7f, 0.1f, 0.9f, -0.3f];

    [Theory]
    [InlineData("SOFTMAX", "Softmax", 3)]
    [InlineData("LOGISTIC", "Sigmoid", 3)]
    [InlineData("LOGISTIC", "Sigmoid", 1)]
    public void Probabilities_are_explained_by_their_logits(string transform, string cut, int scores)
    {
        var (model, probabilities) = Classifier(transform, scores);
        var graph = LinearizationGraph.Compile(CaseRun.Stream(model), new() { Targets = Targets.All });
        using var linearizer = new Linearizer(graph);
        float[] x = [0.3f, -0.8f];
        var map = linearizer.Explain(x);
        Assert.Equal(cut, graph.Report.CutActivation);
        using var original = new OriginalModel(model, probabilities);
        var expected = original.Run("x", x, [1, 2]);
        var logits = map.Scores.Select(s => Math.Exp(s)).ToArray();
        var actual = transform == "SOFTMAX" ? logits.Select(l => l / logits.Sum()) : logits.Select(l => l / (1 + l));
        Agreement.AssertClose(expected.Widened(), actual, transform);
        // The logits' slopes are the model's own coefficients, for one score those and their opposites.
        float[] rows = scores == 1 ? [-Weights[0], -Weights[1], Weights[0], Weights[1]] : Weights;
        Assert.Equal(rows, map.Weights.ToRowMajorArray());
    }

    [Fact]
    public void A_dictionary_of_scores_is_taken_as_their_tensor()
    {
        var (model, probabilities) = Classifier("SOFTMAX", 3);
        model.Graph.Node.Add(Nodes.Create("ZipMap", [probabilities], ["output_probability"], "zip", ("classlabels_int64s", (long[])[0, 1, 2])));
        model.Graph.Node[^1].Domain = "ai.onnx.ml";
        model.Graph.Output.Clear();
        model.Graph.Output.Add(Graph.Value(model.Graph.Node[0].Output[0], DataType.Int64, ["N"]));
        model.Graph.Output.Add(new ValueInfoProto { Name = "output_probability", Type = new TypeProto() });
        var graph = LinearizationGraph.Compile(CaseRun.Stream(model), new() { Targets = Targets.All });
        Assert.Equal(("output_probability", "Softmax"), (graph.Report.ExplainedOutput, graph.Report.CutActivation));
        Assert.Contains(graph.Report.Notes, n => n.Contains("ZipMap", StringComparison.Ordinal));
        using var linearizer = new Linearizer(graph);
        Assert.Equal(Weights, linearizer.Explain([1, 2]).Weights.ToRowMajorArray());
    }

    [Fact]
    public void A_score_that_ONNX_Runtime_leaves_unset_is_refused_by_name()
    {
        var refusal = UnsupportedTests.Refused(Classifier("PROBIT", 1).Model);
        var node = Assert.Single(refusal.Nodes);
        Assert.Equal("ai.onnx.ml.LinearClassifier", node.Operator);
        Assert.Contains("unset under PROBIT", node.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Iterated_probabilities_of_a_support_vector_machine_are_refused()
    {
        var net = new Net(17, 1);
        var y = net.Classicals("SVMClassifier", 2, [net.Input("x", "N", 2)], ("coefficients", (float[])[1, -1]), ("rho", (float[])[0.1f]), ("kernel_type", "RBF"), ("kernel_params", (float[])[1, 0, 0]), ("support_vectors", (float[])[0, 1, 1, 0]),
            ("vectors_per_class", Net.L(1, 1)), ("classlabels_ints", Net.L(0, 1)), ("prob_a", (float[])[-1]), ("prob_b", (float[])[0]))[1];
        var refusal = UnsupportedTests.Refused(net.Build(y));
        Assert.Contains("iteration", Assert.Single(refusal.Nodes).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_value_contributes_nothing_and_what_stands_for_it_is_bias()
    {
        var net = new Net(17, 1);
        var filled = net.Classical("Imputer", [net.Input("x", "N", 2)], ("imputed_value_floats", (float[])[5, 7]), ("replaced_value_float", float.NaN));
        var y = net.Classical("LinearRegressor", [filled], ("coefficients", (float[])[2, 3]), ("intercepts", (float[])[1]));
        using var linearizer = new Linearizer(LinearizationGraph.Compile(CaseRun.Stream(net.Build(y))));
        var map = linearizer.Explain([10, float.NaN]);
        Assert.Equal([2, 0], map.Weights.Row(0));
        Assert.Equal((42f, 22f, 0f), (map.ExplainedScores[0], map.Bias[0], map.Error[0]));
    }

    [Fact]
    public void A_model_with_text_and_whole_numbers_is_explained_by_its_float_inputs()
    {
        var graph = WithText(strict: 0);
        Assert.Equal(["age"], graph.ExplainedInputs.Select(i => i.Name));
        using var session = new ExplanationSession(graph);
        var batch = session.Run(new Dictionary<string, Array> { ["age"] = new[] { 2f, 3 }, ["city"] = new[] { "Rome", "Paris" }, ["rooms"] = new[] { 4L, 1 } }, 2);
        Assert.Equal((10f, 10f), (batch.Single("Weights", 0)[0], batch.Single("Weights", 1)[0]));
        // Rome counts 200, Paris 100, and each room 1000, half of it offset.
        Assert.Equal((200f + 3500, 100f + 500), (batch.Single("Bias", 0)[0], batch.Single("Bias", 1)[0]));
        Assert.Equal(0, batch.Single("LinearizationError", 0)[0]);
    }

    [Fact]
    public void An_encoder_that_refuses_unknown_texts_still_does()
    {
        using var session = new ExplanationSession(WithText(strict: 0));
        Assert.ThrowsAny<Exception>(() => session.Run(new Dictionary<string, Array> { ["age"] = new[] { 2f }, ["city"] = new[] { "Oslo" }, ["rooms"] = new[] { 4L } }, 1));
        using var lenient = new ExplanationSession(WithText(strict: 1));
        Assert.Equal(3500, lenient.Run(new Dictionary<string, Array> { ["age"] = new[] { 2f }, ["city"] = new[] { "Oslo" }, ["rooms"] = new[] { 4L } }, 1).Single("Bias", 0)[0]);
    }

    /// <summary>A regression on a float, a text and a whole number, each an input of its own.</summary>
    private static LinearizationGraph WithText(long strict)
    {
        var net = new Net(17, 1);
        var age = net.Input("age", "N", 1);
        var hot = net.Op("Reshape", [net.Classical("OneHotEncoder", ["city"], ("cats_strings", (string[])["Paris", "Rome"]), ("zeros", strict)), net.Ints(-1, 2)]);
        var rooms = net.Classical("Scaler", ["rooms"], ("offset", (float[])[0.5f]), ("scale", (float[])[1000]));
        var y = net.Classical("LinearRegressor", [net.Classical("FeatureVectorizer", [age, hot, rooms], ("inputdimensions", Net.L(1, 2, 1)))], ("coefficients", (float[])[10, 100, 200, 1]));
        var model = net.Build(y);
        model.Graph.Input.Add(Graph.Value("city", DataType.String, ["N", 1]));
        model.Graph.Input.Add(Graph.Value("rooms", DataType.Int64, ["N", 1]));
        return LinearizationGraph.Compile(CaseRun.Stream(model));
    }

    private static (ModelProto Model, string Probabilities) Classifier(string transform, int scores)
    {
        var net = new Net(17, 1);
        var names = net.Classicals("LinearClassifier", 2, [net.Input("x", "N", 2)], ("coefficients", Weights[..(2 * scores)]), ("intercepts", (float[])[.. new[] { 0.2f, -0.5f, 0.1f }.Take(scores)]), ("post_transform", transform), ("classlabels_ints", scores == 1 ? Net.L(0, 1) : Net.L(0, 1, 2)));
        return (net.Build(names[1]), names[1]);
    }
}
