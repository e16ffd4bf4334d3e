using Google.Protobuf;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;
using MLNetLinearize.Linearization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Runtime;
using MLNetLinearize.Tests.Oracle;
using MLNetLinearize.Tests.Rules;
using MLNetLinearize.Transforms;
using static MLNetLinearize.Tests.Rules.Agreement;

namespace MLNetLinearize.Tests.Linearization;

/// <summary>Networks of enough channels for ONNX Runtime's blocked layout: one target, a few written out, and many in a loop.</summary>
public sealed class TargetsApartTests
{
    private const int RowCount = 3;

    [Theory]
    [InlineData(12, 1, false)]
    [InlineData(12, 7, false)]
    [InlineData(13, 16, false)]
    [InlineData(12, 17, true)] // a last turn that is not full
    [InlineData(13, 24, true)]
    public void Targets_of_a_residual_network_agree_with_the_oracle(int size, int classes, bool isLooped)
    {
        var model = Residual(size, classes);
        Assert.Equal(isLooped, HasLoop(Check(model, [3, size, size], Targets.All, classes)));
        Check(model, [3, size, size], Targets.Predicted, classes);
        if (classes > 2) Check(model, [3, size, size], Targets.Classes(classes - 1, 1), classes);
    }

    /// <summary>Cotangents of pools that overlap, in the parts in which the convolution before takes them, or put together where it does not.</summary>
    [Theory]
    [InlineData(20, 7, 2, 3, 2, 3)]
    [InlineData(23, 7, 2, 3, 2, 3)] // images and pools of odd sizes
    [InlineData(15, 5, 1, 3, 2, 3)]
    [InlineData(13, 3, 1, 2, 1, 3)]
    [InlineData(12, 3, 2, 3, 1, 1)] // side by side, as in Inception
    [InlineData(14, 3, 2, 3, 2, 8)] // more channels than are taken in parts
    [InlineData(26, 5, 4, 3, 2, 3)] // larger blocks than are taken in parts
    public void Pools_that_overlap_behind_a_stem_agree_with_the_oracle(int size, int kernel, int stride, int pool, int poolStride, int channels)
    {
        foreach (var classes in new[] { 1, 3, 18 })
        {
            var net = new Net(17, 9);
            string Conv(string x, int from, int to, int width, int step) =>
                net.Op("Conv", [x, net.Weights(to, from, width, width), net.Weights(to)], ("strides", Net.L(step, step)), ("pads", Net.L(width / 2, width / 2, width / 2, width / 2)));
            var stem = net.Op("Relu", [Conv(net.Input("x", "N", channels, size, size), channels, 16, kernel, stride)]);
            var pooled = net.Op("MaxPool", [stem], ("kernel_shape", Net.L(pool, pool)), ("strides", Net.L(poolStride, poolStride)), ("pads", Net.L(pool / 2, pool / 2, pool / 2, pool / 2)));
            var features = net.Op("Flatten", [net.Op("GlobalAveragePool", [net.Op("Relu", [Conv(pooled, 16, 16, 3, 1)])])]);
            var graph = Check(net.Build(net.Op("Gemm", [features, net.Weights(16, classes), net.Weights(classes)])), [channels, size, size], Targets.All, classes);
            Assert.DoesNotContain(graph.Model.Graph.Node, n => n.OpType is "ScatterElements" or "MaxUnpool");
        }
    }

    [Theory]
    [InlineData("all")]
    [InlineData("top")]
    [InlineData("classes")]
    public void Many_classes_are_looped_over_before_the_cut(string kind)
    {
        var targets = kind switch { "top" => Targets.Top(50), "classes" => Targets.Classes([.. Enumerable.Range(0, 50).Select(i => 79 - i)]), _ => Targets.All };
        var graph = Check(Residual(12, 80), [3, 12, 12], targets, 80);
        Assert.Equal(32, graph.Report.Accumulation!.CutWidth);
        Assert.True(HasLoop(graph));
    }

    /// <summary>Before a pool over all of space every target is one channel, of which the convolution's transpose reads one output channel's taps.</summary>
    [Theory]
    [InlineData(16, "Relu", 3, 1, 1, true)] // written out
    [InlineData(32, "Relu", 3, 1, 1, true)] // in a loop
    [InlineData(32, "Relu", 1, 1, 1, true)]
    [InlineData(19, "LeakyRelu", 3, 2, 1, true)] // not in blocks, a last turn that is not full
    [InlineData(18, "Clip", 2, 1, 1, true)]
    [InlineData(32, "Sigmoid", 3, 1, 1, false)] // not followed through
    [InlineData(32, "Relu", 3, 1, 2, false)] // residue by residue
    public void Targets_of_one_channel_read_its_taps(int width, string activation, int kernel, int dilation, int stride, bool isByChannel)
    {
        var net = new Net(17, 11);
        string Conv(string x, int from, int to) =>
            net.Op("Conv", [x, net.Weights(to, from, kernel, kernel), net.Weights(to)], ("strides", Net.L(stride, stride)), ("dilations", Net.L(dilation, dilation)), ("pads", Net.L(kernel / 2, 0, kernel / 2, kernel / 2)));
        var first = net.Op("Relu", [net.Op("Conv", [net.Input("x", "N", 3, 9, 10), net.Weights(16, 3, 3, 3), net.Weights(16)])]);
        var last = Conv(first, 16, width);
        var active = activation == "Clip" ? net.Op("Clip", [last, net.Scalar(-0.3f), net.Scalar(0.6f)]) : net.Op(activation, [last]);
        const int classes = 70;
        var features = net.Op("Flatten", [net.Op("GlobalAveragePool", [active])]);
        var graph = Check(net.Build(net.Op("Gemm", [features, net.Weights(width, classes), net.Weights(classes)])), [3, 9, 10], Targets.All, classes);
        Assert.Equal(width, graph.Report.Accumulation!.CutWidth);
        Assert.Equal(isByChannel, ReadsOneChannel(graph));
    }

    /// <summary>The same where the network ends in its pool, as SqueezeNet does.</summary>
    [Theory]
    [InlineData(5)]
    [InlineData(18)]
    public void Scores_of_one_channel_read_its_taps(int classes)
    {
        var net = new Net(17, 13);
        var first = net.Op("Relu", [net.Op("Conv", [net.Input("x", "N", 3, 9, 10), net.Weights(16, 3, 3, 3), net.Weights(16)])]);
        var pooled = net.Op("GlobalAveragePool", [net.Op("Relu", [net.Op("Conv", [first, net.Weights(classes, 16, 1, 1), net.Weights(classes)])])]);
        var scores = net.Op("Reshape", [pooled, net.Ints(-1, classes)]);
        var model = net.Build(scores);
        foreach (var (targets, isByChannel) in new[] { (Targets.All, true), (Targets.Classes(4, 1, 0), true), (Targets.Top(3), false) })
            Assert.Equal(isByChannel, ReadsOneChannel(Check(model, [3, 9, 10], targets, classes)));

        model.Graph.Node.Add(Nodes.Create("Softmax", [scores], ["probabilities"], "softmax", ("axis", 1L)));
        model.Graph.Output[0].Name = "probabilities";
        Assert.True(ReadsOneChannel(Compiler.Compile(model, new() { Targets = Targets.All })));
        Assert.False(ReadsOneChannel(Compiler.Compile(model, new() { Targets = Targets.Contrast(0, 3) })));
    }

    private static bool ReadsOneChannel(LinearizationGraph graph) =>
        (HasLoop(graph) ? Loop(graph.Model).Find("body")!.G.Node : graph.Model.Graph.Node).Any(n => n.OpType == "Gather" && n.Int("axis", 0) == 1);

    [Theory]
    [InlineData(Nonlinearity.Tangent)]
    [InlineData(Nonlinearity.Frozen)]
    public void A_smooth_network_is_looped_over_in_both_readings(Nonlinearity mode)
    {
        var net = new Net(17, 8);
        var x = net.Op("Conv", [net.Input("x", "N", 3, 6, 6), net.Weights(16, 3, 3, 3), net.Weights(16)], ("pads", Net.L(1, 1, 1, 1)));
        var gated = net.Op("Mul", [x, net.Op("Sigmoid", [x])]);
        var y = net.Op("Conv", [gated, net.Weights(16, 16, 3, 3), net.Weights(16)]);
        var model = net.Build(net.Op("Gemm", [net.Op("Flatten", [net.Op("Tanh", [y])]), net.Weights(256, 20), net.Weights(20)]));
        Assert.True(HasLoop(Check(model, [3, 6, 6], Targets.All, 20, mode)));
    }

    [Fact]
    public void What_nobody_reads_is_not_computed_in_the_loop()
    {
        var graph = Compiler.Compile(Residual(12, 20), new() { Targets = Targets.All });
        var (all, weights) = (Loop(graph.Model), Loop(ExplanationSession.Only(graph.Model, [OutputNames.Weights])));
        Assert.Equal((2, 1), (all.Output.Count, weights.Output.Count));
        Assert.Equal((2, 1), (all.Find("body")!.G.Output.Count, weights.Find("body")!.G.Output.Count));
        Assert.True(weights.Find("body")!.G.Node.Count < all.Find("body")!.G.Node.Count);

        var row = Row(3 * 12 * 12, new Random(3));
        using ExplanationSession whole = new(graph), part = new(graph, [OutputNames.Weights]);
        var inputs = new Dictionary<string, Array> { ["x"] = row };
        AssertClose(whole.Run(inputs, 1).AllSingle(OutputNames.Weights).Widened(), part.Run(inputs, 1).AllSingle(OutputNames.Weights).Widened(), "W", 1e-6);
    }

    [Fact]
    public void A_looped_graph_gives_the_same_saved_and_loaded()
    {
        var ml = new MLContext();
        var random = new Random(2);
        var data = ml.Data.LoadFromEnumerable(Enumerable.Range(0, RowCount).Select(_ => new Image { x = Row(3 * 12 * 12, random) }).ToList());
        using var transformer = new LinearizingEstimator(Compiler.Compile(Residual(12, 20), new() { Targets = Targets.All })).Fit(data);
        using var file = new MemoryStream();
        ml.Model.Save(transformer, data.Schema, file);
        file.Position = 0;
        var loaded = ml.Model.Load(file, out var schema);
        var (live, stored) = (Columns(transformer), Columns(loaded));
        var ours = ml.Model.RestoreLinearization(loaded, schema);
        using (ours as IDisposable)
            foreach (var other in new[] { stored, Columns(ours) })
                foreach (var (expected, actual) in live.Zip(other)) AssertClose(expected.Widened(), actual.Widened(), "saved and loaded", 1e-6, 1e-6);

        List<float[]> Columns(ITransformer model) => [.. new[] { "Attribution", "Bias", "Weights" }.SelectMany(c => model.Transform(data).GetColumn<float[]>(c))];
    }

    /// <summary>Masks and cotangents must be known to have the same rows, or ONNX Runtime takes both out of its blocks.</summary>
    [Fact]
    public void A_target_of_each_row_keeps_the_blocked_layout_as_a_fixed_one_does()
    {
        int Reorders(Targets targets)
        {
            var file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
            try
            {
                var graph = Compiler.Compile(Residual(12, 7), new() { Targets = targets });
                using var settings = new SessionOptions { OptimizedModelFilePath = file, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
                using var session = new InferenceSession(ExplanationSession.Only(graph.Model, [OutputNames.Attribution]).ToByteArray(), settings);
                return ModelProto.Parser.ParseFrom(File.ReadAllBytes(file)).Graph.Node.Count(n => n.OpType == "ReorderOutput");
            }
            finally
            {
                File.Delete(file);
            }
        }
        var least = Reorders(Targets.Classes(1));
        foreach (var targets in new[] { Targets.Predicted, Targets.Top(1), Targets.PredictedVersusRunnerUp, Targets.FromColumn("Label") })
            Assert.InRange(Reorders(targets), 0, least);
    }

    /// <summary>A mask is exactly 0 or 1 for every number: the smallest positive float counts as positive.</summary>
    [Theory]
    [InlineData(float.Epsilon)]
    [InlineData(1e-40f)]
    [InlineData(1e-20f)]
    [InlineData(1f)]
    [InlineData(1e30f)]
    [InlineData(0f)]
    public void The_mask_of_a_Relu_in_blocks_is_exact(float size)
    {
        var net = new Net(17, 4);
        var channels = Enumerable.Range(0, 16 * 16).Select(i => i / 16 == i % 16 ? 1f : 0).ToArray();
        var first = net.Op("Relu", [net.Op("Conv", [net.Input("x", "N", 16, 2, 2), net.Floats(channels, 16, 16, 1, 1)])]);
        var second = net.Op("Conv", [first, net.Floats(channels, 16, 16, 1, 1)]);
        var model = net.Build(net.Op("Gemm", [net.Op("Flatten", [second]), net.Floats([.. Enumerable.Repeat(1f, 64)], 64, 1)]));
        using var linearizer = new Linearizer(Compiler.Compile(model, new()));
        Assert.Contains(linearizer.Graph.Model.Graph.Node, n => n.OpType == "HardSigmoid");
        foreach (var value in new[] { size, -size })
        {
            var map = linearizer.Explain([.. Enumerable.Repeat(value, 64)]);
            Assert.All(map.Weights.ToRowMajorArray(), w => Assert.Equal(value > 0 ? 1f : 0f, w));
        }
    }

    /// <summary>Compares all columns, rows in a batch and alone, with the oracle.</summary>
    private static LinearizationGraph Check(ModelProto model, int[] shape, Targets targets, int classes, Nonlinearity mode = Nonlinearity.Tangent)
    {
        var random = new Random(7);
        var rows = Enumerable.Range(0, RowCount).Select(_ => Row(shape.Aggregate(1, (a, d) => a * d), random)).ToList();
        using Linearizer linearizer = new(Compiler.Compile(model, new() { Targets = targets, Nonlinearity = mode }));
        Assert.Null(linearizer.Graph.Report.RowByRowReason);
        var batch = linearizer.ExplainBatch([.. rows.SelectMany(r => r)], RowCount);
        for (var r = 0; r < RowCount; r++)
        {
            AffineMap Oracle() => DenseOracle.Linearize(model, "x", CaseRun.Widen(rows[r]), [1, .. shape], model.Graph.Output[0].Name);
            var oracle = mode == Nonlinearity.Frozen ? Reading.Frozen(Oracle) : Oracle();
            foreach (var (map, how) in new[] { (batch[r], "in a batch"), (linearizer.Explain(rows[r]), "alone") })
            {
                if (targets.Kind == TargetKind.All) Assert.Equal(classes, map.Targets.Count);
                for (var k = 0; k < map.Targets.Count; k++) AssertExact(map, k, $"row {r} {how}, target {k}", roundings: 4);
                AssertAgree(oracle, map, $"row {r} {how}");
            }
        }
        return linearizer.Graph;
    }

    private static bool HasLoop(LinearizationGraph graph) => graph.Model.Graph.Node.Any(n => n.OpType == "Scan");

    private static NodeProto Loop(ModelProto model) => Assert.Single(model.Graph.Node, n => n.OpType == "Scan");

    /// <summary>Stem with an overlapping pool, a block, a block that halves the image with a projection beside it, pooled features.</summary>
    private static ModelProto Residual(int size, int classes)
    {
        var net = new Net(17, 12);
        string Conv(string x, int from, int to, int kernel, int stride) =>
            net.Op("Conv", [x, net.Weights(to, from, kernel, kernel), net.Weights(to)], ("strides", Net.L(stride, stride)), ("pads", Net.L(kernel / 2, kernel / 2, kernel / 2, kernel / 2)));
        string Block(string x, int from, int to, int stride)
        {
            var inner = Conv(net.Op("Relu", [Conv(x, from, to, 3, stride)]), to, to, 3, 1);
            return net.Op("Relu", [net.Op("Add", [inner, stride == 1 ? x : Conv(x, from, to, 1, stride)])]);
        }
        var stem = net.Op("Relu", [Conv(net.Input("x", "N", 3, size, size), 3, 16, 5, 1)]);
        var pooled = net.Op("MaxPool", [stem], ("kernel_shape", Net.L(3, 3)), ("strides", Net.L(2, 2)), ("pads", Net.L(1, 1, 1, 1)));
        var last = Block(Block(pooled, 16, 16, 1), 16, 32, 2);
        var features = net.Op("Flatten", [net.Op("GlobalAveragePool", [last])]);
        return net.Build(net.Op("Gemm", [features, net.Weights(32, classes), net.Weights(classes)]));
    }

    private sealed class Image
    {
        [VectorType(3, 12, 12)]
        public float[] x { get; set; } = [];
    }
}
