using Google.Protobuf;
using MathNet.Numerics.LinearAlgebra;
using MLNetLinearize.Tests.Rules;

namespace MLNetLinearize.Tests;

public class LinearizerTests
{
    [Fact]
    public void The_map_is_the_network_inside_its_linear_region()
    {
        using var linearizer = Create(Targets.All);
        var random = new Random(1);
        var x = Vector<float>.Build.Dense(6, _ => random.NextSingle() * 2 - 1);
        var map = linearizer.Explain(x.ToArray());
        Assert.Equal((3, 6), (map.Weights.RowCount, map.Weights.ColumnCount));
        Assert.Equal([0L, 1, 2], map.Targets);
        Near(map.Scores, map.Apply(x));
        Near(map.ExplainedScores, map.Attribution.RowSums() + map.Bias);

        var near = x + Vector<float>.Build.Dense(6, _ => (random.NextSingle() - 0.5f) * 1e-4f);
        Near(linearizer.Explain(near.ToArray()).Scores, map.Apply(near));
    }

    [Fact]
    public void Singular_values_are_those_of_the_weights()
    {
        using var linearizer = Create(Targets.All);
        var map = linearizer.Explain(new float[] { 1, -1, 0.5f, 2, -0.3f, 0.7f });
        var values = map.SingularValues();
        Assert.Equal(3, values.Count);
        Assert.Equal(map.Weights.FrobeniusNorm(), values.L2Norm(), 1e-4);
        Assert.True(values[0] >= values[1] && values[1] >= values[2]);
    }

    [Fact]
    public void A_row_of_the_wrong_length_is_refused_with_both_numbers()
    {
        using var linearizer = Create(Targets.Predicted);
        var error = Assert.Throws<ArgumentException>(() => linearizer.Explain(new float[5]));
        Assert.Contains("takes 6 values", error.Message, StringComparison.Ordinal);
        Assert.Contains("got 5", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => linearizer.Explain(new float[6]).Apply(Vector<float>.Build.Dense(5)));
    }

    [Fact]
    public async Task Several_threads_get_the_same_answers()
    {
        using var linearizer = Create(Targets.Top(2));
        var rows = Enumerable.Range(0, 16).Select(r => Enumerable.Range(0, 6).Select(i => MathF.Sin(r * 7 + i)).ToArray()).ToArray();
        var alone = rows.Select(r => linearizer.Explain(r).Weights).ToArray();
        var together = await Task.WhenAll(rows.Select(r => Task.Run(() => linearizer.Explain(r).Weights)));
        Assert.Equal(alone, together);
    }

    private static Linearizer Create(Targets targets)
    {
        var net = new Net(17, 21);
        var hidden = net.Op("Relu", [net.Op("Gemm", [net.Input("x", "N", 6), net.Weights(6, 8), net.Weights(8)])]);
        var model = net.Build(net.Op("Gemm", [hidden, net.Weights(8, 3), net.Weights(3)]), "N", 3);
        return new Linearizer(LinearizationGraph.Compile(new MemoryStream(model.ToByteArray()), new LinearizeOptions { Targets = targets }));
    }

    private static void Near(Vector<float> expected, Vector<float> actual) => Assert.True((expected - actual).AbsoluteMaximum() < 1e-5f, $"{expected} {actual}");
}
