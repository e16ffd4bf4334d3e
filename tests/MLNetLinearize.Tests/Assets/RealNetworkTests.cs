using MathNet.Numerics.LinearAlgebra;
using MLNetLinearize.Tests.Oracle;
using MLNetLinearize.Tests.Rules;
using static MLNetLinearize.Tests.Rules.Agreement;

namespace MLNetLinearize.Tests.Assets;

/// <summary>Real networks at real inputs.</summary>
public class RealNetworkTests
{
    private const int RowCount = 20;

    public static TheoryData<string> Files => [.. RealNetwork.All.Select(n => n.File)];

    public static TheoryData<string> SmallFiles => [.. RealNetwork.All.Where(n => n.Targets == Targets.All).Select(n => n.File)];

    [AssetTheory]
    [MemberData(nameof(Files))]
    public void Every_row_is_exact_and_scores_are_the_original_models(string file)
    {
        var network = RealNetwork.All.Single(n => n.File == file);
        var (name, shape) = RealNetwork.Input(network.Model);
        using var linearizer = new Linearizer(AssetFolder.File(file), new() { Targets = network.Targets });
        using var original = new OriginalModel(network.Model, RealNetwork.Explained(network.Model));
        var rows = network.Rows(RowCount);
        Assert.Equal(RowCount, rows.Length);
        foreach (var (maps, start) in Batches(linearizer, rows, batch: 5))
            for (var r = 0; r < maps.Count; r++)
            {
                var (map, what) = (maps[r], $"row {start + r}");
                AssertClose(original.Run(name, rows[start + r], shape).Widened(), map.Scores.Widened(), $"Score of {what}");
                for (var k = 0; k < map.Targets.Count; k++)
                {
                    Assert.Equal(map.Scores[(int)map.Targets[k]], map.ExplainedScores[k]);
                    AssertExact(map, k, $"{what}, target {k}");
                }
            }
    }

    [AssetTheory]
    [MemberData(nameof(Files))]
    public void Weights_and_bias_are_the_oracles(string file)
    {
        var network = RealNetwork.All.Single(n => n.File == file);
        var model = network.Model;
        var (name, shape) = RealNetwork.Input(model);
        using var linearizer = new Linearizer(AssetFolder.File(file), new() { Targets = network.Targets });
        var explained = RealNetwork.Explained(model);
        foreach (var row in network.RowsOffKinks(network.OracleRows))
        {
            var map = linearizer.Explain(row);
            var weights = map.Weights.ToDouble();
            AffineMap oracle;
            if (network.ComparedElements is { } count)
            {
                var directions = Directions(weights, count);
                oracle = DenseOracle.Linearize(model, name, CaseRun.Widen(row), shape, directions, explained);
                weights *= Matrix<double>.Build.DenseOfColumns(directions);
            }
            else oracle = DenseOracle.Linearize(model, name, CaseRun.Widen(row), shape, explained);
            for (var k = 0; k < map.Targets.Count; k++)
            {
                var target = (int)map.Targets[k];
                AssertClose(oracle.Weights.Row(target), weights.Row(k), $"W of output {target}", absolute: Math.Max(Absolute, Relative * map.Weights.Row(k).AbsoluteMaximum()));
                AssertClose([oracle.Bias[target]], [map.Bias[k]], $"b of output {target}", absolute: Relative * Math.Max(1, oracle.Values.Select(Math.Abs).Max()));
            }
        }
    }

    [AssetTheory]
    [MemberData(nameof(SmallFiles))]
    public void Every_kind_of_targets_is_rows_of_the_whole_matrix(string file)
    {
        var network = RealNetwork.All.Single(n => n.File == file);
        var rows = network.RowsOffKinks(RowCount);
        using var all = new Linearizer(AssetFolder.File(file), new() { Targets = Targets.All });
        var whole = Batches(all, rows, 5).SelectMany(b => b.Maps).ToList();
        foreach (var targets in new[] { Targets.Predicted, Targets.Top(2), Targets.Classes(1, 0), Targets.Contrast(0, 1), Targets.PredictedVersusRunnerUp })
        {
            using var linearizer = new Linearizer(AssetFolder.File(file), new() { Targets = targets });
            foreach (var (maps, start) in Batches(linearizer, rows, 5))
                for (var r = 0; r < maps.Count; r++)
                {
                    var (map, reference) = (maps[r], whole[start + r]);
                    var order = Enumerable.Range(0, reference.Scores.Count).OrderByDescending(c => reference.Scores[c]).ToArray();
                    int[] first = targets.Kind switch { TargetKind.Top => [order[0], order[1]], TargetKind.Classes => [1, 0], TargetKind.Contrast => [0], _ => [order[0]] };
                    int? minus = targets.Kind switch { TargetKind.Contrast => 1, TargetKind.PredictedVersusRunnerUp => order[1], _ => null };
                    Assert.Equal(first.Select(c => (long)c), map.Targets);
                    for (var k = 0; k < first.Length; k++)
                    {
                        var expected = reference.Weights.Row(first[k]) - (minus is { } m ? reference.Weights.Row(m) : reference.Weights.Row(0) * 0);
                        var scale = reference.Weights.Row(first[k]).AbsoluteMaximum() + (minus is { } other ? reference.Weights.Row(other).AbsoluteMaximum() : 0);
                        AssertClose(expected.Widened(), map.Weights.Row(k).Widened(), $"{targets}, row {start + r}, target {k}", absolute: Math.Max(Absolute, Relative * scale));
                        if (minus is null) AssertExact(map, k, $"{targets}, row {start + r}, target {k}");
                    }
                }
        }
    }

    /// <summary>The elements where the first row of W is largest, some random elements, and a random direction of length 1.</summary>
    private static List<double[]> Directions(Matrix<double> weights, int count)
    {
        var random = new Random(13);
        var largest = weights.Row(0).EnumerateIndexed().OrderByDescending(e => Math.Abs(e.Item2)).Take(count).Select(e => e.Item1);
        var elements = largest.Concat(Enumerable.Range(0, count).Select(_ => random.Next(weights.ColumnCount)));
        var dense = Vector<double>.Build.DenseOfEnumerable(Enumerable.Range(0, weights.ColumnCount).Select(_ => random.NextDouble() * 2 - 1)); // in order: Build.Dense fills in parallel
        return [(dense / dense.L2Norm()).ToArray(), .. elements.Select(i => Vector<double>.Build.Dense(weights.ColumnCount, j => i == j ? 1 : 0).ToArray())];
    }

    private static IEnumerable<(IReadOnlyList<LinearMap> Maps, int Start)> Batches(Linearizer linearizer, float[][] rows, int batch)
    {
        for (var start = 0; start < rows.Length; start += batch)
        {
            var part = rows.Skip(start).Take(batch).ToList();
            yield return (linearizer.ExplainBatch([.. part.SelectMany(r => r)], part.Count), start);
        }
    }
}
