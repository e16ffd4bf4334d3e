using MathNet.Numerics.LinearAlgebra;
using MLNetLinearize.Linearization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Tests.Oracle;

namespace MLNetLinearize.Tests.Rules;

/// <summary>Networks drawn at random, in every way of asking for targets: W is the oracle's, and b the rest of the score.</summary>
public class RandomNetTests
{
    private const int Networks = 60;

    public static TheoryData<int> Seeds => [.. Enumerable.Range(0, Networks)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Of_images(int seed)
    {
        var drawn = new RandomImageNet(seed);
        AssertAgrees(drawn.Model, [drawn.Size, drawn.Height, drawn.Width], drawn.Outputs, seed);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Of_tensors(int seed)
    {
        var drawn = new RandomTensorNet(seed, isSmooth: false);
        AssertAgrees(drawn.Model, drawn.Shape, drawn.Outputs, seed);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Of_tensors_through_smooth_operators(int seed)
    {
        var drawn = new RandomTensorNet(seed, isSmooth: true);
        AssertAgrees(drawn.Model, drawn.Shape, drawn.Outputs, seed);
        AssertAgrees(drawn.Model, drawn.Shape, drawn.Outputs, seed, Nonlinearity.Frozen);
    }

    private static void AssertAgrees(ModelProto model, int[] shape, int outputs, int seed, Nonlinearity mode = Nonlinearity.Tangent)
    {
        var random = new Random(seed);
        var length = shape.Aggregate(1, (a, d) => a * d);
        var rows = Agreement.Row(2 * length, random);
        var known = Enumerable.Range(0, 2).Select(r =>
        {
            var x = rows[(r * length)..((r + 1) * length)].Select(v => (double)v).ToArray();
            double[][] directions = [[.. x.Select(_ => random.NextDouble() - 0.5)], [.. x.Select(_ => random.Next(10) == 0 ? 1.0 : 0)]];
            AffineMap Oracle() => DenseOracle.Linearize(model, "x", x, [1, .. shape.Select(d => (long)d)], directions);
            return (Directions: directions, Oracle: mode == Nonlinearity.Frozen ? Reading.Frozen(Oracle) : Oracle());
        }).ToList();
        Targets[] asked = [Targets.All, Targets.Predicted, Targets.Top(Math.Min(3, outputs)), Targets.Classes(outputs - 1), Targets.Classes([.. Enumerable.Range(0, Math.Min(2, outputs))])];
        foreach (var targets in asked)
        {
            using var linearizer = new Linearizer(Compiler.Compile(model, new() { Targets = targets, Threads = 1, Nonlinearity = mode }));
            Assert.False(linearizer.Graph.IsRowByRow);
            var maps = linearizer.ExplainBatch(rows, 2);
            for (var r = 0; r < 2; r++)
            {
                var (directions, oracle) = known[r];
                for (var k = 0; k < maps[r].Targets.Count; k++) Agreement.AssertExact(maps[r], k, $"{targets}, row {r}, target {maps[r].Targets[k]}", 4);
                var weights = maps[r].Weights.ToDouble();
                for (var d = 0; d < directions.Length; d++)
                {
                    var expected = maps[r].Targets.Select(c => oracle.Weights[(int)c, d]);
                    Agreement.AssertClose(expected, weights * Vector<double>.Build.Dense(directions[d]), $"{targets}, row {r}, W·d", absolute: Math.Max(Agreement.Absolute, Agreement.Relative * weights.Enumerate().Max(Math.Abs)));
                }
            }
        }
    }
}
