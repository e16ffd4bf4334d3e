using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using MLNetLinearize.Onnx;
using MLNetLinearize.Runtime;
using MLNetLinearize.Tests.Rules;

namespace MLNetLinearize.Tests.Linearization;

public class LinearizationGraphTests
{
    [Fact]
    public void The_exported_file_runs_in_bare_onnx_runtime_with_any_number_of_rows()
    {
        var path = Path.Combine(Path.GetTempPath(), $"export-{Guid.NewGuid():N}.onnx");
        try
        {
            LinearizationGraph.Compile(Stream(Network()), new LinearizeOptions { Targets = Targets.All }).Save(path);
            var model = OnnxFile.Read(path);
            Assert.All(model.Graph.Node, n => Assert.True(n.Domain is "" or "ai.onnx", n.OpType));
            Assert.Equal(["Score", "ExplainedTarget", "Bias", "Weights", "Attribution", "ExplainedScore", "LinearizationError"], model.Graph.Output.Select(o => o.Name));
            using var session = new InferenceSession(path);
            foreach (var rows in new[] { 1, 3, 8 })
            {
                using var results = session.Run([NamedOnnxValue.CreateFromTensor("x", new DenseTensor<float>(Rows(rows), [rows, 2, 4, 4]))]);
                Assert.Equal([rows, 3, 2, 4, 4], results.Single(r => r.Name == "Attribution").AsTensor<float>().Dimensions.ToArray());
                Assert.Equal([rows, 3], results.Single(r => r.Name == "Bias").AsTensor<float>().Dimensions.ToArray());
                Assert.All(results.Single(r => r.Name == "LinearizationError").AsTensor<float>(), e => Assert.True(e < 1e-5f));
            }
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Weights_are_stored_once()
    {
        var model = Network();
        var graph = LinearizationGraph.Compile(Stream(model), new LinearizeOptions { Targets = Targets.All });
        var original = model.Graph.Initializer.Where(t => t.ElementType() == TensorProto.Types.DataType.Float).Sum(t => t.Count());
        var stored = graph.Model.Graph.Initializer.Where(t => t.ElementType() == TensorProto.Types.DataType.Float).Sum(t => t.Count());
        Assert.InRange(stored, original, original + 64); // the rest are scalars and the identity seed
    }

    [Fact]
    public void Outputs_above_the_budget_are_refused_with_the_number()
    {
        var options = new LinearizeOptions { Targets = Targets.All, MaxBytesPerRow = 383 };
        var error = Assert.Throws<InvalidModelException>(() => LinearizationGraph.Compile(Stream(Network()), options));
        Assert.Contains("3 · 32 · 4 bytes", error.Message, StringComparison.Ordinal);
        Assert.Contains("MaxBytesPerRow", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("top:4", "Targets.Top(4)")]
    [InlineData("classes", "output 3")]
    [InlineData("contrast", "output 7")]
    public void Targets_beyond_the_outputs_are_refused(string kind, string expected)
    {
        var targets = kind switch { "top:4" => Targets.Top(4), "classes" => Targets.Classes(0, 3), _ => Targets.Contrast(1, 7) };
        var error = Assert.Throws<InvalidModelException>(() => LinearizationGraph.Compile(Stream(Network()), new LinearizeOptions { Targets = targets }));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Any_tensor_explains_any_later_tensor_and_all_layers_sum_to_the_same_score()
    {
        var model = Network();
        var rows = Rows(2);
        float[]? scores = null;
        foreach (var layer in model.Graph.Node.SkipLast(1).Select(n => n.Output[0]).Prepend("x"))
        {
            using var session = new ExplanationSession(LinearizationGraph.Compile(Stream(model), new LinearizeOptions { ExplainedInputs = [layer], Targets = Targets.All }));
            var batch = session.Run(new Dictionary<string, Array> { ["x"] = rows }, 2);
            scores ??= batch.AllSingle("ExplainedScore");
            Assert.Equal(scores, batch.AllSingle("ExplainedScore"));
            Assert.All(batch.AllSingle("LinearizationError"), e => Assert.True(e < 1e-5f, $"{layer}: {e}"));
        }
    }

    [Fact]
    public void Inputs_that_are_not_explained_are_constants_of_the_row()
    {
        var net = new Net(17, 9);
        var (a, b) = (net.Input("a", "N", 3), net.Input("b", "N", 3));
        var model = net.Build(net.Op("Gemm", [net.Op("Add", [net.Op("Mul", [a, b]), b]), net.Weights(3, 2)]));
        var inputs = new Dictionary<string, Array> { ["a"] = new float[] { 1, -2, 3 }, ["b"] = new float[] { 0.5f, 2, -1 } };
        using var both = new ExplanationSession(LinearizationGraph.Compile(Stream(model), new LinearizeOptions { Targets = Targets.All }));
        using var one = new ExplanationSession(LinearizationGraph.Compile(Stream(model), new LinearizeOptions { Targets = Targets.All, ExplainedInputs = ["a"] }));
        var (all, single) = (both.Run(inputs, 1), one.Run(inputs, 1));
        Assert.Equal(all.AllSingle("Weights.a"), single.AllSingle("Weights"));
        Assert.All(all.AllSingle("LinearizationError").Concat(single.AllSingle("LinearizationError")), e => Assert.True(e < 1e-6f));
        // The product a·b is explained by a alone now: no tangent remainder, and b's own share in the bias.
        var weights = single.AllSingle("Weights");
        for (var c = 0; c < 2; c++)
        {
            var sum = Enumerable.Range(0, 3).Sum(i => weights[c * 3 + i] * ((float[])inputs["a"])[i]);
            Assert.Equal(single.AllSingle("ExplainedScore")[c] - sum, single.AllSingle("Bias")[c], 1e-5f);
        }
    }

    [Fact]
    public void A_label_outside_the_outputs_gives_nan_in_its_own_row_only()
    {
        using var session = new ExplanationSession(LinearizationGraph.Compile(Stream(Network()), new LinearizeOptions { Targets = Targets.FromColumn("Label") }));
        using var every = new ExplanationSession(LinearizationGraph.Compile(Stream(Network()), new LinearizeOptions { Targets = Targets.All }));
        var rows = Rows(4);
        var batch = session.Run(new Dictionary<string, Array> { ["x"] = rows, ["ExplainedLabel"] = new long[] { 2, -1, 0, 3 } }, 4);
        var all = every.Run(new Dictionary<string, Array> { ["x"] = rows }, 4);
        foreach (var (row, label) in new[] { (0, 2), (2, 0) })
        {
            Assert.Equal(label, batch.Int64("ExplainedTarget", row)[0]);
            Assert.Equal(all.Single("Weights", row).Slice(label * 32, 32), batch.Single("Weights", row));
            Assert.Equal(all.Single("Bias", row)[label], batch.Single("Bias", row)[0]);
        }
        foreach (var row in new[] { 1, 3 })
        {
            Assert.Equal(-1, batch.Int64("ExplainedTarget", row)[0]);
            foreach (var output in new[] { "Weights", "Attribution", "Bias", "ExplainedScore", "LinearizationError" })
                Assert.True(batch.Single(output, row).ToArray().All(float.IsNaN), output);
            Assert.False(float.IsNaN(batch.Single("Score", row)[0]));
        }
    }

    [Fact]
    public void A_row_of_nan_spoils_no_other_row()
    {
        using var session = new ExplanationSession(LinearizationGraph.Compile(Stream(Network())));
        var rows = Rows(3);
        var clean = session.Run(new Dictionary<string, Array> { ["x"] = rows }, 3);
        var spoilt = (float[])rows.Clone();
        spoilt[40] = float.NaN;
        var batch = session.Run(new Dictionary<string, Array> { ["x"] = spoilt }, 3);
        foreach (var row in new[] { 0, 2 })
            Assert.Equal(clean.Single("Attribution", row), batch.Single("Attribution", row));
        Assert.True(float.IsNaN(batch.Single("LinearizationError", 1)[0]));
    }

    [Fact]
    public void A_final_activation_is_cut_unless_the_output_is_named()
    {
        var net = new Net(17, 4);
        var softmax = net.Op("Softmax", [net.Op("Gemm", [net.Input("x", "N", 3), net.Weights(3, 2)])], ("axis", -1));
        var model = net.Build(net.Op("Identity", [softmax]));
        var cut = LinearizationGraph.Compile(Stream(model));
        Assert.Equal("Softmax", cut.Report.CutActivation);
        Assert.True(cut.Report.IsPiecewiseLinear);
        var named = LinearizationGraph.Compile(Stream(model), new LinearizeOptions { ExplainedOutput = softmax });
        Assert.Null(named.Report.CutActivation);
        Assert.False(named.Report.IsPiecewiseLinear);
        using var session = new ExplanationSession(named);
        var batch = session.Run(new Dictionary<string, Array> { ["x"] = new float[] { 1, 2, -1 } }, 1);
        Assert.InRange(batch.AllSingle("ExplainedScore")[0], 0.5f, 1f); // a probability, the larger of two
    }

    [Fact]
    public void Every_offending_node_is_in_one_error()
    {
        var net = new Net(17, 4);
        var x = net.Input("x", "N", 1, 4, 4);
        var a = net.Op("Bernoulli", [x]);
        var b = net.Op("RandomNormalLike", [net.Op("NonZero", [a])]);
        var error = Assert.Throws<UnsupportedOperatorException>(() => LinearizationGraph.Compile(Stream(net.Build(b))));
        Assert.Equal(["Bernoulli", "NonZero", "RandomNormalLike"], error.Nodes.Select(n => n.Operator));
        Assert.All(error.Nodes, n => Assert.True(n.Reason.Length > 0 && n.Remedy.Length > 0));
        Assert.Contains(error.Nodes[0].Name, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Dead_nodes_are_no_reason_to_refuse()
    {
        var net = new Net(17, 4);
        var x = net.Input("x", "N", 4);
        net.Op("NonZero", [x]);
        Assert.NotNull(LinearizationGraph.Compile(Stream(net.Build(net.Op("Relu", [x])))));
    }

    private static ModelProto Network()
    {
        var net = new Net(17, 11);
        var conv = net.Op("Conv", [net.Input("x", "N", 2, 4, 4), net.Weights(3, 2, 3, 3), net.Weights(3)], ("pads", Net.L(1, 1, 1, 1)));
        var pool = net.Op("MaxPool", [net.Op("Relu", [conv])], ("kernel_shape", Net.L(2, 2)), ("strides", Net.L(2, 2)));
        return net.Build(net.Op("Gemm", [net.Op("Flatten", [pool]), net.Weights(12, 3), net.Weights(3)]), "N", 3);
    }

    private static MemoryStream Stream(ModelProto model) => new(model.ToByteArray());

    private static float[] Rows(int count)
    {
        var random = new Random(6);
        return [.. Enumerable.Range(0, count * 32).Select(_ => random.NextSingle() * 2 - 1)];
    }
}
