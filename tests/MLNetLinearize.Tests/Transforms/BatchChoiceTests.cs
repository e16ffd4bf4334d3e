using MLNetLinearize.Transforms;

namespace MLNetLinearize.Tests.Transforms;

/// <summary>How many rows a run takes when nobody says so.</summary>
public class BatchChoiceTests
{
    [Theory]
    [InlineData("digits-mlp.onnx", false, 128, 256)]
    [InlineData("digits-mlp.onnx", true, 64, 256)]
    [InlineData("digits-cnn.onnx", false, 8, 32)]
    [InlineData("digits-cnn.onnx", true, 2, 8)]
    public void DenseNetworksGetManyRowsAndConvolutionalOnesFew(string model, bool all, int least, int most)
    {
        var graph = LinearizationGraph.Compile(Samples.Path("models/" + model), new() { Targets = all ? Targets.All : Targets.Predicted, Threads = 1 });

        Assert.InRange(BatchChoice.Rows(graph, 64, 2 * 64 * graph.TargetCount, 64, cursors: 1), least, most);
    }

    [Theory]
    [InlineData(1 << 10, 1, 256)]
    [InlineData(1 << 16, 1, 16)]
    [InlineData(1 << 20, 1, 2)]
    [InlineData(1 << 20, 2, 1)]
    [InlineData(1 << 24, 1, 1)]
    public void TheBudgetIsKept(int elements, int cursors, int expected)
    {
        var rows = BatchChoice.Rows(new HandMadeGraph(2, new() { Threads = 1 }).Graph, elements, elements, elements, cursors);

        Assert.Equal(expected, rows);
        Assert.True(rows == 1 || 3L * elements * sizeof(float) * rows * 2 * cursors <= BatchChoice.MemoryBudget);
    }

    [Theory]
    [InlineData("digits-cnn.onnx", 3)]
    [InlineData("digits-mlp.onnx", 2)]
    public void EachThreadGetsARunOfTheSameRows(string model, int threads)
    {
        int Of(int count) => BatchChoice.Rows(LinearizationGraph.Compile(Samples.Path("models/" + model), new() { Targets = Targets.All, Threads = count }), 64, 2 * 64 * 10, 64, cursors: 1);

        Assert.Equal(threads * Of(1), Of(threads));
    }

    [Fact]
    public void TheUserDecides() => Assert.Equal(1000, BatchChoice.Rows(new HandMadeGraph(2, new() { BatchSize = 1000 }).Graph, 1 << 24, 1 << 24, 0, 1));
}
