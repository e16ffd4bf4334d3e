using Google.Protobuf;
using MLNetLinearize.Linearization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Runtime;
using MLNetLinearize.Tests.Rules;

namespace MLNetLinearize.Tests.Canonicalization;

public class BatchAxisTests
{
    [Fact]
    public void A_fixed_batch_of_one_is_opened_also_in_reshapes()
    {
        var graph = Compile(net =>
        {
            var x = net.Input("x", 1, 2, 4, 4);
            var y = net.Op("Relu", [net.Op("Conv", [x, net.Weights(3, 2, 3, 3)])]);
            return net.Op("Gemm", [net.Op("Reshape", [y, net.Ints(1, 12)]), net.Weights(12, 2)]);
        });
        Assert.False(graph.IsRowByRow);
        using var linearizer = new Linearizer(graph);
        var rows = Rows(5, 32);
        var together = linearizer.ExplainBatch(rows, 5);
        for (var r = 0; r < 5; r++)
            Assert.Equal(linearizer.Explain(rows.AsSpan(r * 32, 32)).Weights, together[r].Weights);
    }

    [Theory]
    [InlineData("N")]
    [InlineData(1)]
    public void A_network_that_mixes_rows_runs_row_by_row(object batch)
    {
        // The mean over the first axis: harmless for one row, a mixture for two.
        var graph = Compile(net =>
        {
            var x = net.Input("x", batch, 4);
            var mean = net.Op("ReduceMean", [x], ("axes", Net.L(0)), ("keepdims", 1));
            return net.Op("Gemm", [net.Op("Add", [x, mean]), net.Weights(4, 2)]);
        });
        Assert.True(graph.IsRowByRow);
        Assert.NotNull(graph.Report.RowByRowReason);
        using var linearizer = new Linearizer(graph);
        var rows = Rows(3, 4);
        var together = linearizer.ExplainBatch(rows, 3);
        for (var r = 0; r < 3; r++)
        {
            Assert.Equal(linearizer.Explain(rows.AsSpan(r * 4, 4)).Weights, together[r].Weights);
            Assert.True(together[r].Error[0] < 1e-6f);
        }
    }

    [Fact]
    public void A_mixture_that_shapes_do_not_show_is_found_by_different_rows()
    {
        // Softmax over the batch axis keeps every shape; on equal rows or zeros it would pass.
        var graph = Compile(net =>
        {
            var x = net.Input("x", "N", 4);
            var weight = net.Op("Softmax", [x], ("axis", 0));
            return net.Op("Gemm", [net.Op("Mul", [x, weight]), net.Weights(4, 2)]);
        });
        Assert.True(graph.IsRowByRow);
        Assert.Contains("mixes rows", graph.Report.RowByRowReason, StringComparison.Ordinal);
    }

    /// <summary>However its rows would be shared in use, the proof runs them together.</summary>
    [Theory]
    [InlineData(1, 1)]
    [InlineData(null, 2)]
    public void A_mixture_is_found_where_each_row_has_a_run_of_its_own(int? batchSize, int threads)
    {
        var net = new Net(17, 3);
        var x = net.Input("x", "N", 16, 24, 24);
        for (var i = 0; i < 3; i++) x = net.Op("Relu", [net.Op("Conv", [x, net.Weights(16, 16, 3, 3)], ("pads", Net.L(1, 1, 1, 1)))]);
        var mean = net.Op("ReduceMean", [net.Op("GlobalAveragePool", [x])], ("axes", Net.L(0)), ("keepdims", 1));
        var model = net.Build(net.Op("Gemm", [net.Op("Flatten", [net.Op("Mul", [net.Op("GlobalAveragePool", [x]), mean])]), net.Weights(16, 2)]));
        var graph = Compiler.Compile(model, new() { BatchSize = batchSize, Threads = threads });
        Assert.Equal(threads, new RunPlan(graph, [OutputNames.Attribution]).SideBySide(2));
        Assert.True(graph.IsRowByRow);
    }

    [Fact]
    public void A_model_without_batch_axis_takes_one_row_a_run()
    {
        var graph = Compile(net => net.Op("MatMul", [net.Weights(2, 5), net.Op("Relu", [net.Input("x", 5)])]));
        Assert.True(graph.IsRowByRow);
        Assert.False(graph.Inputs[0].HasBatchAxis);
        Assert.Equal([5], graph.Inputs[0].RowShape);
        using var linearizer = new Linearizer(graph);
        Assert.Equal(4, linearizer.ExplainBatch(Rows(4, 5), 4).Count);
    }

    [Fact]
    public void An_open_inner_dimension_is_asked_for_and_taken_from_the_options()
    {
        string Body(Net net) => net.Op("ReduceMean", [net.Op("Relu", [net.Input("x", "N", 3, "length")])], ("axes", Net.L(2)), ("keepdims", 0));
        var error = Assert.Throws<InvalidModelException>(() => Compile(Body));
        Assert.Contains("'x'", error.Message, StringComparison.Ordinal);
        Assert.Contains("length", error.Message, StringComparison.Ordinal);
        Assert.Contains("InputShapes", error.Message, StringComparison.Ordinal);

        var graph = Compile(Body, new LinearizeOptions { InputShapes = new Dictionary<string, IReadOnlyList<int>> { ["x"] = [1, 3, 7] } });
        Assert.Equal([3, 7], graph.Inputs[0].RowShape);
    }

    private static LinearizationGraph Compile(Func<Net, string> body, LinearizeOptions? options = null)
    {
        var net = new Net(17, 5);
        var model = net.Build(body(net));
        return LinearizationGraph.Compile(new MemoryStream(model.ToByteArray()), options);
    }

    private static float[] Rows(int count, int length)
    {
        var random = new Random(2);
        return [.. Enumerable.Range(0, count * length).Select(_ => random.NextSingle() * 2 - 1)];
    }
}
