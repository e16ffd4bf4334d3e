using MLNetLinearize.Onnx;
using MLNetLinearize.Tests.Rules;

namespace MLNetLinearize.Tests.Canonicalization;

/// <summary>Spellings that exporters use and no operator's own case shows: each map is that of the same network written plainly.</summary>
public class ExporterIdiomTests
{
    /// <summary>A finite number that the softmax makes exactly 0 of, as it does of −∞.</summary>
    private const float Never = -1e4f;

    [Fact]
    public void An_operand_that_is_left_out_may_be_an_empty_constant()
    {
        // PyTorch at opset 11: Resize with sizes has regions and scales of no elements.
        var net = new Net(11, 5);
        var image = net.Op("Reshape", [net.Input("x", "N", 4), net.Ints(-1, 1, 2, 2)]);
        string Nothing() => net.Op("Constant", [], ("value", Tensors.Of("nothing", Array.Empty<float>(), 0)));
        var sizes = net.Op("Concat", [net.Op("Slice", [net.Op("Shape", [image]), net.Ints(0), net.Ints(2), net.Ints(0)]), net.Ints(4, 4)], ("axis", 0L));
        var enlarged = net.Op("Resize", [image, Nothing(), Nothing(), sizes], ("mode", "nearest"), ("coordinate_transformation_mode", "asymmetric"), ("nearest_mode", "floor"));
        ControlFlowTests.AssertSame((n, x) => n.Op("Gather", [x, n.Ints(0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 3, 3, 2, 2, 3, 3)], ("axis", 1L)), net.Build(net.Op("Flatten", [enlarged])));
    }

    /// <summary>What no key may see is −∞, stored or chosen by the row's mask, or the sum of two lowest numbers.</summary>
    [Theory]
    [InlineData("chosen")]
    [InlineData("added")]
    [InlineData("shaped")]
    public void A_mask_of_infinities_adds_nothing_to_the_bias(string how)
    {
        ModelProto Model(bool isPlain)
        {
            var net = new Net(17, 5);
            var x = net.Input("x", "N", 4);
            return net.Build(Masked(net, x, isPlain));
        }
        string Masked(Net net, string x, bool isPlain)
        {
            var scores = net.Op("MatMul", [x, net.Weights(4, 4)]);
            var seen = net.Op("Greater", [x, net.Scalar(-0.75f)]);
            string Barrier(float never) => net.Op("Where", [seen, net.Scalar(0), net.Scalar(isPlain ? Never : never)]);
            var mask = how switch
            {
                "chosen" => Barrier(float.NegativeInfinity),
                "added" => net.Op("Add", [Barrier(float.MinValue), Barrier(float.MinValue)]),
                _ => net.Op("Reshape", [net.Op("Unsqueeze", [Barrier(float.NegativeInfinity), net.Ints(1)]), net.Ints(-1, 4)]),
            };
            return net.Op("MatMul", [net.Op("Softmax", [net.Op("Add", [scores, mask])], ("axis", -1L)), net.Weights(4, 3)]);
        }
        ControlFlowTests.AssertSame((net, x) => Masked(net, x, isPlain: true), Model(isPlain: false));
    }

    [Fact]
    public void A_gate_that_keeps_the_best_fills_the_others_with_infinities()
    {
        // Mixture of experts: the two best logits are put into a tensor of −∞, whose softmax weighs the experts.
        string Gated(Net net, string x, float never)
        {
            var logits = net.Op("MatMul", [x, net.Weights(4, 3)]);
            var best = net.Ops("TopK", 2, [logits, net.Ints(2)], ("axis", 1L));
            var empty = net.Op("ConstantOfShape", [net.Op("Shape", [logits])], ("value", Tensors.Of("never", [never], 1)));
            var gates = net.Op("Softmax", [net.Op("ScatterElements", [empty, best[1], best[0]], ("axis", 1L))], ("axis", -1L));
            return net.Op("Mul", [gates, net.Op("MatMul", [x, net.Weights(4, 3)])]);
        }
        var model = new Net(17, 5);
        ControlFlowTests.AssertSame((net, x) => Gated(net, x, Never), model.Build(Gated(model, model.Input("x", "N", 4), float.NegativeInfinity)));
    }

    [Fact]
    public void A_standard_deviation_runs_in_batches()
    {
        // It is homogeneous: its bias is 0 but for rounding, which differs from batch to batch.
        var net = new Net(13, 5);
        var x = net.Input("x", "N", 4);
        var centred = net.Op("Sub", [x, net.Op("ReduceMean", [x], ("axes", Net.L(1)))]);
        var variance = net.Op("Div", [net.Op("Mul", [net.Op("ReduceMean", [net.Op("Mul", [centred, centred])], ("axes", Net.L(1))), net.Scalar(4)]), net.Scalar(3)]);
        var model = net.Build(net.Op("Sqrt", [variance]));
        using var linearizer = new Linearizer(LinearizationGraph.Compile(CaseRun.Stream(model), new() { Targets = Targets.All }));
        Assert.Null(linearizer.Graph.Report.RowByRowReason);
        float[] rows = [0.5f, -1, 2, 0.25f, 3, 1, -2, 0.75f];
        foreach (var (map, row) in linearizer.ExplainBatch(rows, 2).Zip(rows.Chunk(4)))
        {
            var (mean, deviation) = (row.Average(), Math.Sqrt(row.Sum(v => Math.Pow(v - row.Average(), 2)) / 3));
            Agreement.AssertClose([.. row.Select(v => (v - mean) / 3 / deviation)], map.Weights.ToRowMajorArray().Widened(), "W", 1e-6);
            Assert.InRange(map.Bias[0], -1e-6f, 1e-6f);
        }
    }
}
