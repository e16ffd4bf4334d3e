using MathNet.Numerics.LinearAlgebra;
using MLNetLinearize.Linearization;
using MLNetLinearize.Tests.Oracle;

namespace MLNetLinearize.Tests.Rules;

/// <summary>Networks drawn at random, in every way of asking for targets: W is the oracle's, and b the rest of the score.</summary>
public class RandomNetTests
{
    private const int Networks = 60;

    public static TheoryData<int> Seeds => [.. Enumerable.Range(0, Networks)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Weights_are_the_oracles_and_the_bias_is_the_rest(int seed)
    {
        var drawn = new RandomImageNet(seed);
        var random = new Random(seed);
        var length = drawn.Size * drawn.Height * drawn.Width;
        var rows = Agreement.Row(2 * length, random);
        var known = Enumerable.Range(0, 2).Select(r =>
        {
            var x = rows[(r * length)..((r + 1) * length)].Select(v => (double)v).ToArray();
            double[][] directions = [[.. x.Select(_ => random.NextDouble() - 0.5)], [.. x.Select(_ => random.Next(10) == 0 ? 1.0 : 0)]];
            return (Directions: directions, Oracle: DenseOracle.Linearize(drawn.Model, "x", x, [1, drawn.Size, drawn.Height, drawn.Width], directions));
        }).ToList();
        Targets[] asked = [Targets.All, Targets.Predicted, Targets.Top(Math.Min(3, drawn.Outputs)), Targets.Classes(drawn.Outputs - 1), Targets.Classes([.. Enumerable.Range(0, Math.Min(2, drawn.Outputs))])];
        foreach (var targets in asked)
        {
            using var linearizer = new Linearizer(Compiler.Compile(drawn.Model, new() { Targets = targets, Threads = 1 }));
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
