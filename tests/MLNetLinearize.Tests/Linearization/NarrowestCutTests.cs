using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetLinearize.Linearization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Runtime;
using MLNetLinearize.Tests.Oracle;
using MLNetLinearize.Tests.Rules;
using MLNetLinearize.Transforms;
using static MLNetLinearize.Tests.Rules.Agreement;

namespace MLNetLinearize.Tests.Linearization;

/// <summary>Which order of accumulation is taken, what it costs, and that the map is that of reverse mode and the oracle's.</summary>
public sealed class NarrowestCutTests
{
    private const int RowCount = 3;

    [Fact]
    public void An_autoencoder_is_cut_at_its_code()
    {
        var order = Check(Autoencoder(), 48, Targets.All);
        Assert.Equal((4, AccumulationMode.Forward, AccumulationMode.Reverse), (order.CutWidth, order.Mode, order.ModeBeforeCut));
        Assert.True(4 * order.MultiplyAdds < order.ReverseMultiplyAdds, order.ToString());
        Assert.Equal($"cut at '{order.CutTensor}' (4 wide), reverse mode before it, forward mode behind it", order.ToString());
    }

    [Fact]
    public void The_multiply_adds_of_an_autoencoder_are_its_layers()
    {
        var order = Check(Autoencoder(), 48, Targets.All);
        // Matrix products and one per element of a Relu. The code is cut before its own Relu or behind it, at the same cost but for that.
        const long layers = 48 * 24 + 24 + 24 * 4 + 4;
        Assert.Equal(48 * (layers + 4 * 24 + 24 + 24 * 48), order.ReverseMultiplyAdds);
        const long encoder = 4 * layers, decoder = 5 * (4 * 24 + 24 + 24 * 48), product = 48 * 4 * (48 + 1);
        Assert.InRange(order.MultiplyAdds, encoder + decoder + product - 4 * 4, encoder + decoder + product + 5 * 4);
    }

    [Theory]
    [InlineData("all")]
    [InlineData("classes")]
    [InlineData("top")]
    public void Many_classes_are_cut_at_the_features(string kind)
    {
        var targets = kind switch { "all" => Targets.All, "classes" => Targets.Classes([.. Enumerable.Range(0, 30).Select(i => 39 - i)]), _ => Targets.Top(25) };
        var order = Check(Classifier(), 3 * 8 * 8, targets);
        Assert.Equal((6, AccumulationMode.Reverse), (order.CutWidth, order.ModeBeforeCut));
        Assert.True(2 * order.MultiplyAdds < order.ReverseMultiplyAdds, order.ToString());
    }

    [Fact]
    public void W_of_images_by_shared_features_is_made_in_its_final_shape()
    {
        string MakerOfW(Targets targets)
        {
            var nodes = Compiler.Compile(Classifier(), new() { Targets = targets }).Model.Graph.Node;
            var maker = nodes.Single(n => n.Output.Contains(OutputNames.Weights));
            return maker.OpType == "Identity" ? nodes.Single(n => n.Output.Contains(maker.Input[0])).OpType : maker.OpType;
        }
        Assert.Equal(("Conv", "Conv", "Reshape"), (MakerOfW(Targets.All), MakerOfW(Targets.Classes([.. Enumerable.Range(0, 30)])), MakerOfW(Targets.Top(25))));
    }

    [Theory]
    [InlineData("all")]
    [InlineData("classes")]
    [InlineData("top")]
    public void A_narrow_input_is_carried_forward(string kind)
    {
        var net = new Net(17, 3);
        var hidden = net.Op("Relu", [net.Op("Gemm", [net.Input("x", "N", 3), net.Weights(3, 32), net.Weights(32)])]);
        var model = net.Build(net.Op("Tanh", [net.Op("Gemm", [hidden, net.Weights(32, 40), net.Weights(40)])]));
        var targets = kind switch { "all" => Targets.All, "classes" => Targets.Classes([.. Enumerable.Range(5, 30)]), _ => Targets.Top(20) };
        foreach (var mode in new[] { Nonlinearity.Tangent, Nonlinearity.Frozen })
        {
            var order = Check(model, 3, targets, mode);
            Assert.Equal((null, AccumulationMode.Forward, "forward mode"), (order.CutTensor, order.Mode, order.ToString()));
        }
    }

    [Fact]
    public void The_affine_end_of_a_network_costs_chosen_classes_nothing()
    {
        var net = new Net(17, 3);
        var hidden = net.Op("Relu", [net.Op("Gemm", [net.Input("x", "N", 3), net.Weights(3, 32), net.Weights(32)])]);
        var model = net.Build(net.Op("Gemm", [hidden, net.Weights(32, 40), net.Weights(40)]));
        var order = Check(model, 3, Targets.Classes([.. Enumerable.Range(5, 30)]));
        Assert.Equal((32, AccumulationMode.Reverse, AccumulationMode.Forward), (order.CutWidth, order.Mode, order.ModeBeforeCut));
        const long hiddenLayer = (3 + 1) * (3 * 32 + 32), product = 30 * 32 * (3 + 1);
        Assert.Equal(hiddenLayer + product, order.MultiplyAdds);
    }

    [Fact]
    public void A_smooth_network_is_cut_in_both_readings()
    {
        var net = new Net(17, 31);
        var code = net.Op("Tanh", [net.Op("Gemm", [net.Input("x", "N", 40), net.Weights(40, 3), net.Weights(3)])]);
        var gated = net.Op("Mul", [code, net.Op("Sigmoid", [code])]);
        var model = net.Build(net.Op("Softplus", [net.Op("Gemm", [net.Op("Elu", [gated]), net.Weights(3, 40), net.Weights(40)])]));
        foreach (var mode in new[] { Nonlinearity.Tangent, Nonlinearity.Frozen })
            Assert.Equal(3, Check(model, 40, Targets.All, mode).CutWidth);
    }

    [Fact]
    public void A_way_round_the_narrow_tensor_leaves_nothing_to_cut()
    {
        var net = new Net(17, 8);
        var x = net.Input("x", "N", 20);
        var code = net.Op("Gemm", [net.Op("Relu", [net.Op("Gemm", [x, net.Weights(20, 2)])]), net.Weights(2, 20)]);
        Assert.Equal((null, AccumulationMode.Reverse), Order(Check(net.Build(net.Op("Add", [code, net.Op("Relu", [x])])), 20, Targets.All)));
    }

    [Fact]
    public void One_target_is_explained_in_reverse()
    {
        foreach (var targets in new[] { Targets.Predicted, Targets.Contrast(0, 1), Targets.PredictedVersusRunnerUp })
            Assert.Equal((null, AccumulationMode.Reverse), Order(Check(Autoencoder(), 48, targets)));
    }

    [Fact]
    public void A_network_that_runs_row_by_row_is_cut_too()
    {
        var net = new Net(17, 5);
        var code = net.Op("Relu", [net.Op("MatMul", [net.Weights(3, 30), net.Input("x", 30)])]);
        var model = net.Build(net.Op("Add", [net.Op("MatMul", [net.Weights(30, 3), code]), net.Weights(30)]));
        Assert.Equal(3, Check(model, 30, Targets.All, shape: [30]).CutWidth);
    }

    [Fact]
    public void An_infinite_offset_is_accumulated_in_every_order()
    {
        var net = new Net(17, 5);
        var x = net.Op("Pad", [net.Input("x", "N", 1, 2, 1), net.Ints(0, 0, 1, 1, 0, 0, 1, 1), net.Floats([float.NegativeInfinity])]);
        var pool = net.Op("MaxPool", [x], ("kernel_shape", Net.L(2, 2)));
        var model = net.Build(net.Op("Gemm", [net.Op("Flatten", [pool]), net.Weights(6, 40)]));
        foreach (var mode in Enum.GetValues<AccumulationMode>())
        {
            using var linearizer = new Linearizer(Compiler.Compile(model, new() { Targets = Targets.All }, c => c.All().Single(o => o.CutTensor is null && o.Mode == mode)));
            Assert.All(linearizer.Explain([0.5f, -1.5f]).Error, e => Assert.InRange(e, 0, 1e-6f));
        }
    }

    [Fact]
    public void Several_inputs_share_the_cut()
    {
        var net = new Net(17, 9);
        var joined = net.Op("Concat", [net.Op("Relu", [net.Input("a", "N", 20)]), net.Input("b", "N", 12)], ("axis", 1));
        var code = net.Op("Relu", [net.Op("Gemm", [joined, net.Weights(32, 3), net.Weights(3)])]);
        var model = net.Build(net.Op("Gemm", [code, net.Weights(3, 24), net.Weights(24)]));
        var random = new Random(4);
        var inputs = new Dictionary<string, Array> { ["a"] = Row(20 * RowCount, random), ["b"] = Row(12 * RowCount, random) };
        var options = new LinearizeOptions { Targets = Targets.All };
        var graph = Compiler.Compile(model, options);
        using ExplanationSession session = new(graph), reverse = new(Compiler.Compile(model, options, c => c.Reverse));
        Assert.Equal(3, graph.Report.Accumulation!.CutWidth);
        var (cut, whole) = (session.Run(inputs, RowCount), reverse.Run(inputs, RowCount));
        foreach (var output in new[] { "Weights.a", "Weights.b", "Attribution.a", "Attribution.b", "Bias" })
            AssertClose(whole.AllSingle(output).Widened(), cut.AllSingle(output).Widened(), output, 1e-6);
        Assert.All(cut.AllSingle("LinearizationError"), e => Assert.InRange(e, 0, 1e-6f));
    }

    [Fact]
    public void The_columns_of_a_cut_graph_are_the_same_saved_and_loaded()
    {
        var ml = new MLContext();
        var graph = Compiler.Compile(Classifier(), new() { Targets = Targets.All });
        var random = new Random(2);
        var data = ml.Data.LoadFromEnumerable(Enumerable.Range(0, RowCount).Select(_ => new Image { x = Row(3 * 8 * 8, random) }).ToList());
        using var transformer = new LinearizingEstimator(graph).Fit(data);
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

    [Fact]
    public void A_cut_lets_more_rows_into_a_batch()
    {
        var options = new LinearizeOptions { Targets = Targets.All };
        var (cut, whole) = (Compiler.Compile(Autoencoder(8), options), Compiler.Compile(Autoencoder(8), options, c => c.Reverse));
        Assert.True(cut.Report.Accumulation!.Elements < whole.Report.Accumulation!.Elements);
        Assert.True(BatchChoice.Rows(cut, 384, 384, 384, 1) > BatchChoice.Rows(whole, 384, 384, 384, 1));
    }

    /// <summary>Compares the graph that is compiled by default, in a batch and alone, with reverse mode and the oracle.</summary>
    private static JacobianAccumulation Check(ModelProto model, int rowLength, Targets targets, Nonlinearity mode = Nonlinearity.Tangent, long[]? shape = null)
    {
        var options = new LinearizeOptions { Targets = targets, Nonlinearity = mode };
        var random = new Random(7);
        var rows = Enumerable.Range(0, RowCount).Select(_ => Row(rowLength, random)).ToList();
        using Linearizer chosen = new(Compiler.Compile(model, options)), reverse = new(Compiler.Compile(model, options, c => c.Reverse));
        var (batch, whole) = (chosen.ExplainBatch([.. rows.SelectMany(r => r)], RowCount), reverse.ExplainBatch([.. rows.SelectMany(r => r)], RowCount));
        shape ??= [1, .. RealInput(model)];
        for (var r = 0; r < RowCount; r++)
        {
            AffineMap Oracle() => DenseOracle.Linearize(model, "x", CaseRun.Widen(rows[r]), shape, model.Graph.Output[0].Name);
            var oracle = mode == Nonlinearity.Frozen ? Reading.Frozen(Oracle) : Oracle();
            foreach (var (map, how) in new[] { (batch[r], "in a batch"), (chosen.Explain(rows[r]), "alone") })
            {
                var (terms, what) = (Math.Max(Absolute, Relative * RuleTests.Terms(map)), $"row {r} {how}");
                Assert.Equal(whole[r].Targets, map.Targets);
                AssertClose(whole[r].Weights.ToRowMajorArray().Widened(), map.Weights.ToRowMajorArray().Widened(), $"W of {what}, against reverse mode");
                AssertClose(whole[r].Bias.Widened(), map.Bias.Widened(), $"b of {what}, against reverse mode", absolute: terms);
                for (var k = 0; k < map.Targets.Count; k++) AssertExact(map, k, $"{what}, target {k}", roundings: 4);
                if (targets.Kind is TargetKind.All or TargetKind.Top or TargetKind.Classes) AssertAgree(oracle, map, what);
            }
        }
        return chosen.Graph.Report.Accumulation!;
    }

    private static (string?, AccumulationMode) Order(JacobianAccumulation order) => (order.CutTensor, order.Mode);

    private static IEnumerable<long> RealInput(ModelProto model) => model.Graph.Input[0].Type.TensorType.Shape.Dim.Skip(1).Select(d => d.DimValue);

    /// <summary>48-24-4-24-48, times a factor but for the code.</summary>
    internal static ModelProto Autoencoder(int times = 1)
    {
        var net = new Net(17, 21);
        var tensor = net.Input("x", "N", 48 * times);
        int[] widths = [48 * times, 24 * times, 4, 24 * times, 48 * times];
        for (var i = 1; i < widths.Length; i++)
        {
            tensor = net.Op("Gemm", [tensor, net.Weights(widths[i - 1], widths[i]), net.Weights(widths[i])]);
            if (i < widths.Length - 1) tensor = net.Op("Relu", [tensor]);
        }
        return net.Build(tensor);
    }

    /// <summary>A residual convolutional network, pooled to 6 features, and 40 classes.</summary>
    private static ModelProto Classifier()
    {
        var net = new Net(17, 12);
        var first = net.Op("Relu", [net.Op("Conv", [net.Input("x", "N", 3, 8, 8), net.Weights(6, 3, 3, 3), net.Weights(6)], ("pads", Net.L(1, 1, 1, 1)))]);
        var pooled = net.Op("MaxPool", [first], ("kernel_shape", Net.L(2, 2)), ("strides", Net.L(2, 2)));
        var block = net.Op("Conv", [pooled, net.Weights(6, 6, 3, 3), net.Weights(6)], ("pads", Net.L(1, 1, 1, 1)));
        var features = net.Op("Flatten", [net.Op("GlobalAveragePool", [net.Op("Relu", [net.Op("Add", [block, pooled])])])]);
        return net.Build(net.Op("Gemm", [features, net.Weights(6, 40), net.Weights(40)]));
    }

    private sealed class Image
    {
        [VectorType(3, 8, 8)]
        public float[] x { get; set; } = [];
    }
}
