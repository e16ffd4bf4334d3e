using Microsoft.ML.OnnxRuntime;
using MLNetLinearize.Onnx;
using MLNetLinearize.Runtime;
using MLNetLinearize.Tests.Cli;
using MLNetLinearize.Tests.Oracle;
using MLNetLinearize.Tests.Rules;

namespace MLNetLinearize.Tests.Assets;

/// <summary>Models on which a number was wrong once, or a no was needless: what each must give. Tables are <see cref="CaseTableTests"/>.</summary>
public class CaseTests
{
    [AssetFact]
    public void A_reshape_of_weights_keeps_its_shape_in_batches()
    {
        var x = Agreement.Row(16, new Random(1));
        foreach (var map in Maps("initializer_reshape_1_minus1_batch1.onnx", x))
        {
            Close(Own("initializer_reshape_1_minus1_batch1.onnx", x, [1, 4, 4]), map.Scores);
            for (var k = 0; k < 16; k++)
                for (var j = 0; j < 16; j++) Assert.Equal(k == j ? k % 4 + 1 : 0, map.Weights[k, j]);
            Assert.All(map.Bias, b => Assert.Equal(0, b));
        }
    }

    [AssetFact]
    public void A_network_with_a_reshaped_constant_runs_in_batches()
    {
        const string file = "cnn_scale_reshape_1_minus1_1_1_batch1.onnx";
        using var linearizer = Open(file, Targets.All);
        Assert.Null(linearizer.Graph.Report.RowByRowReason);
        var input = linearizer.Graph.Inputs[0];
        var rows = Enumerable.Range(0, 3).Select(i => Agreement.Row(input.RowLength, new Random(i))).ToArray();
        var maps = linearizer.ExplainBatch([.. rows.SelectMany(r => r)], 3);
        for (var i = 0; i < 3; i++) Close(Own(file, rows[i], [1, .. input.RowShape.Select(d => (long)d)]), maps[i].Scores);
    }

    [AssetTheory]
    [InlineData("attention24_causal_nonpad_kv")]
    [InlineData("attention24_left_padding_causal_bool_last_token")]
    public void Attention_hides_what_the_specification_hides(string name)
    {
        var one = new ConformanceCase($"../cases/{name}");
        var output = one.Model.Graph.Output[0].Name;
        foreach (var input in one.FloatInputs)
        {
            var x = one.Inputs[input];
            using var linearizer = new Linearizer(LinearizationGraph.Compile(CaseRun.Stream(one.WithConstants(input)), new() { Targets = Targets.All }));
            var map = linearizer.Explain(x.ToSingle());
            Agreement.AssertClose(DenseOracle.Evaluate(one.Model, one.Feeds, output).Value, map.Scores.Widened(), $"score by {input}");
            double[][] directions = [.. Enumerable.Range(0, x.ToSingle().Length).Select(i => Enumerable.Range(0, x.ToSingle().Length).Select(j => i == j ? 1.0 : 0).ToArray())];
            var oracle = DenseOracle.Linearize(one.Model, input, x.ToDouble(), [.. x.Dims], [.. directions], output, one.Feeds);
            for (var k = 0; k < map.Targets.Count; k++) Agreement.AssertClose(oracle.Weights.Row(k), map.Weights.Row(k).Widened(), $"W by {input}, target {k}");
        }
    }

    [AssetFact]
    public void A_query_that_sees_no_key_is_a_zero_with_a_finite_slope()
    {
        var one = new ConformanceCase("../cases/attention24_left_padding_causal_bool_last_token");
        using var linearizer = Open("attention24_left_padding_causal_bool_last_token/model.onnx", Targets.All);
        var map = linearizer.Explain(one.Inputs.Values.Single().ToSingle());
        Assert.All(map.Scores, s => Assert.True(float.IsFinite(s)));
        Assert.All(map.Weights.Enumerate(), w => Assert.True(float.IsFinite(w)));
    }

    [AssetTheory]
    [InlineData("dropout_training_on_weights_accepted.onnx", "Dropout", "random")]
    [InlineData("reducesum_axes_input_keepdims.onnx", "ReduceSum", "axes")]
    [InlineData("reducesum_axes_input_keepdims_33_sub_axes1/model.onnx", "ReduceSum", "axes")]
    public void What_is_random_or_has_another_shape_for_other_rows_is_refused(string file, string node, string why)
    {
        var error = Assert.Throws<UnsupportedOperatorException>(() => LinearizationGraph.Compile(Case(file)));
        Assert.Contains(node, error.Message, StringComparison.Ordinal);
        Assert.Contains(why, error.Message, StringComparison.Ordinal);
    }

    [AssetFact]
    public void An_empty_optional_ends_no_process()
    {
        using var linearizer = Open("crash_segv_optional_none_float.onnx", Targets.All);
        var map = linearizer.Explain(new float[] { 1, -2, 3 });
        for (var k = 0; k < 3; k++) Agreement.AssertExact(map, k, $"target {k}");
    }

    /// <summary>Against the file in ONNX Runtime without its optimizer, whose integer kernels compute another function.</summary>
    [AssetFact]
    public void A_quantized_network_has_the_scores_of_its_file()
    {
        const string file = "qdq8_mobilenet_score_2_logits_off/model.onnx";
        var x = TensorProto.Parser.ParseFrom(File.ReadAllBytes(Case("qdq8_mobilenet_score_2_logits_off/test_data_set_0/input_0.pb")));
        using var linearizer = Open(file, Targets.Predicted);
        Assert.Equal(Own(file, x.ToSingle(), [.. x.Dims]), linearizer.Explain(x.ToSingle()).Scores);
    }

    [AssetFact]
    public void A_saved_graph_of_float8_runs_with_default_options()
    {
        using var folder = new TemporaryFolder();
        var graph = LinearizationGraph.Compile(Case("fp8_qdq_saved_graph_not_loadable.onnx"), new() { Targets = Targets.All });
        graph.Save(folder.File("saved.onnx"));
        using var session = new InferenceSession(folder.File("saved.onnx"));
        using var run = new RunOptions();
        using var x = OrtArrays.Wrap(new[] { 0.3f, -1.2f, 2, 0 }, [1, 4]);
        using var results = session.Run(run, [graph.Inputs[0].Name], [x], ["Score"]);
        Assert.Equal(Own("fp8_qdq_saved_graph_not_loadable.onnx", [0.3f, -1.2f, 2, 0], [1, 4]), results[0].GetTensorDataAsSpan<float>().ToArray());
    }

    [AssetTheory]
    [InlineData("nodes_not_in_topological_order_refused.onnx")]
    [InlineData("nodes_in_topological_order.onnx")]
    public void Nodes_may_stand_in_any_order(string file)
    {
        using var linearizer = Open(file, Targets.All);
        Assert.Null(linearizer.Graph.Report.RowByRowReason);
        var weights = OnnxFile.Read(Case(file)).Graph.Initializer.Single().ToSingle();
        var map = linearizer.Explain(new float[] { 1, -2, 0.5f, 3 });
        for (var k = 0; k < 2; k++)
            for (var j = 0; j < 4; j++) Assert.Equal(map.Scores[k] > 0 ? weights[2 * j + k] : 0, map.Weights[k, j]);
    }

    [AssetFact]
    public void An_operator_set_named_twice_is_one()
    {
        var model = OnnxFile.Read(Case("opset_import_twice_11_11.onnx"));
        var once = model.Clone();
        once.OpsetImport.RemoveAt(1);
        using var linearizer = Open("opset_import_twice_11_11.onnx", Targets.All);
        using var expected = new Linearizer(LinearizationGraph.Compile(CaseRun.Stream(once), new() { Targets = Targets.All }));
        var x = Agreement.Row(linearizer.Graph.Inputs[0].RowLength, new Random(1));
        Assert.Equal(expected.Explain(x).Weights, linearizer.Explain(x).Weights);
        Assert.Equal(0, CliRun.Of("explain", Case("opset_import_twice_11_11.onnx"), Case("x3.npy"), "--quiet").Code);
    }

    [AssetFact]
    public void A_branch_not_taken_has_no_say_in_the_slope()
    {
        using var linearizer = Open("where_clip_of_log.onnx", Targets.All);
        var map = linearizer.Explain(new float[] { -1, 3 });
        Assert.Equal((-2, 2, 0, 0), (map.Scores[0], map.Weights[0, 0], map.Weights[0, 1], map.Bias[0]));
    }

    [AssetFact]
    public void A_maximum_of_a_logarithm_at_zero_is_its_constant()
    {
        using var linearizer = Open("max-of-log-at-zero-nan.onnx", Targets.All);
        var map = linearizer.Explain(new float[4]);
        Assert.All(map.Weights.Enumerate(), w => Assert.Equal(0, w));
        Assert.Equal(map.Scores[0], map.Bias[0], 1e-6);
        Assert.Equal(-5 * OnnxFile.Read(Case("max-of-log-at-zero-nan.onnx")).Graph.Initializer.Single(t => t.Name == "W").ToSingle().Sum(), map.Scores[0], 1e-5);
    }

    private static string Case(string file) => AssetFolder.File(Path.Combine("cases", file));

    private static Linearizer Open(string file, Targets targets) => new(Case(file), new() { Targets = targets });

    /// <summary>One row by itself and two in a batch.</summary>
    private static IEnumerable<LinearMap> Maps(string file, float[] x)
    {
        using var linearizer = Open(file, Targets.All);
        return [linearizer.Explain(x), .. linearizer.ExplainBatch([.. x, .. x], 2)];
    }

    private static float[] Own(string file, float[] x, long[] shape)
    {
        var model = OnnxFile.Read(Case(file));
        using var own = new OriginalModel(model, model.Graph.Output[0].Name);
        return own.Run(model.Graph.Input.First(i => model.Graph.Initializer.All(t => t.Name != i.Name)).Name, x, shape);
    }

    private static void Close(float[] expected, IEnumerable<float> actual) => Agreement.AssertClose(expected.Widened(), actual.Widened(), "scores");
}
