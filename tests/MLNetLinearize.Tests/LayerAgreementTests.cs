using MLNetLinearize.Tests.Assets;
using MLNetLinearize.Tests.Rules;
using static MLNetLinearize.Tests.Rules.Agreement;

namespace MLNetLinearize.Tests;

/// <summary>Every layer of every case and of every real network makes up the same score, and the first is the map that the rules are checked by.</summary>
public class LayerAgreementTests
{
    public static TheoryData<string> Cases => [.. RuleCases.All.Select(c => c.Name)];

    public static TheoryData<string> Files => [.. RealNetwork.All.Select(n => n.File)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Every_layer_of_a_case_makes_up_the_score(string name)
    {
        var run = CaseRun.Of(name);
        using var linearizer = new LayerLinearizer(CaseRun.Stream(run.Model), new() { Targets = Targets.All });
        Check(linearizer.ExplainBatch([.. run.Rows.SelectMany(r => r)], CaseRun.RowCount), run.Maps, "x");
    }

    [AssetTheory]
    [MemberData(nameof(Files))]
    public void Every_layer_of_a_real_network_makes_up_the_score(string file)
    {
        const int count = 2;
        var network = RealNetwork.All.Single(n => n.File == file);
        float[] rows = [.. network.Rows(count).SelectMany(r => r)];
        using var whole = new Linearizer(AssetFolder.File(file));
        using var linearizer = new LayerLinearizer(AssetFolder.File(file), new() { MaxBytesPerRow = 1L << 30 });
        Assert.True(linearizer.Layers.Count > 2, $"{linearizer.Layers.Count} layers");
        Check(linearizer.ExplainBatch(rows, count), whole.ExplainBatch(rows, count), RealNetwork.Input(network.Model).Name);
    }

    private static void Check(IReadOnlyList<LayerExplanation> rows, IReadOnlyList<LinearMap> maps, string input)
    {
        foreach (var (row, map) in rows.Zip(maps))
        {
            Assert.Equal(map.Targets, row.Targets);
            var first = row.Layers[0];
            Assert.Equal((input, "Input"), (first.Layer.Tensor, first.Layer.Operator));
            for (var k = 0; k < map.Targets.Count; k++)
            {
                // Rounding grows with the terms, not with what is left of them.
                var terms = map.Attribution.Row(k).Sum(v => Math.Abs((double)v)) + Math.Abs(map.Bias[k]);
                AssertClose(map.Attribution.Row(k).Widened(), first.Attribution.Row(k).Widened(), $"contributions to target {k}", absolute: Math.Max(Absolute, Relative * terms));
                AssertClose([map.Bias[k]], [first.Bias[k]], $"bias of target {k}", absolute: Math.Max(Absolute, Relative * terms));
                foreach (var layer in row.Layers)
                {
                    var size = Math.Max(1, Math.Max(terms, layer.Attribution.Row(k).Sum(v => Math.Abs((double)v)) + Math.Abs(layer.Bias[k])));
                    Assert.True(Math.Abs((double)row.ExplainedScores[k] - layer.Sum[k] - layer.Bias[k]) <= 1e-5 * size, $"{layer.Layer}, target {k}: {layer.Sum[k]} + {layer.Bias[k]} is not {row.ExplainedScores[k]}");
                }
                Assert.Equal(0, row.Layers[^1].Bias[k]);
            }
        }
    }
}
