using System.Text.Json;
using MLNetLinearize.Tests.Cli;

namespace MLNetLinearize.Tests.Assets;

/// <summary>The cases' tables, as a user of the command line gives them.</summary>
public class CaseTableTests
{
    [AssetTheory]
    [InlineData("excel-decimal-comma-read-as-thousands.csv")]
    [InlineData("quoted-decimal-comma.csv")]
    [InlineData("tab-decimal-comma.tsv")]
    public void Decimal_commas_are_decimal_commas(string table)
    {
        var rows = Explain(AssetFolder.File("models/tabular/winml_iris_Network.onnx"), Case(table));
        for (var i = 0; i < rows.Rows.Count; i++) Assert.Equal(8.662, rows.Number(i, "ExplainedScore"), 5e-4);
    }

    [AssetTheory]
    [InlineData("pytorch-qdq-cast-uint8-between.onnx")]
    [InlineData("qdq-without-cast.onnx")]
    public void A_cast_that_keeps_a_quantized_type_lets_everything_through(string model)
    {
        var rows = Explain(Case(model), Case("x4.csv"));
        Assert.Equal(0.393, rows.Headers.Where(h => h.StartsWith("Attribution", StringComparison.Ordinal)).Sum(h => rows.Number(0, h)), 5e-4);
        Assert.Equal(0, rows.Number(0, "Bias"));
    }

    [AssetTheory]
    [InlineData("sklearn-logreg-softmax-normalizer.onnx", "Softmax", 3.467)]
    [InlineData("sklearn-logreg-softmax-only.onnx", "Softmax", 3.467)]
    [InlineData("sklearn-logreg-ovr-logistic-normalizer.onnx", "Sigmoid", null)]
    [InlineData("softmax-by-hand.onnx", "Softmax", null)]
    public void Probabilities_are_explained_by_their_logits_and_that_is_said(string model, string cut, double? logit)
    {
        using var folder = new TemporaryFolder();
        var run = CliRun.Of("explain", Case(model), Case("x4.csv"), "--quiet", "--out", folder.File("out.csv"), "--json");
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Contains(cut, JsonDocument.Parse(run.Out).RootElement.GetProperty("cutActivation").GetString()!, StringComparison.Ordinal);
        var score = CsvTable.Read(folder.File("out.csv")).Number(0, "ExplainedScore");
        if (logit is { } expected) Assert.Equal(expected, score, 5e-4);
        using var linearizer = new Linearizer(Case(model), new() { Targets = Targets.Predicted });
        Assert.True(linearizer.Graph.Report.IsPiecewiseLinear);
        Assert.Equal(score, linearizer.Explain(new float[] { 1, 2, -1, 0.5f }).ExplainedScores[0], 1e-5);
    }

    [AssetFact]
    public void Silence_has_a_finite_explanation()
    {
        var rows = Explain(Case("silero_openvino16k.onnx"), Case("silero-silence.csv"));
        Assert.Equal(0.002, rows.Number(0, "ExplainedScore"), 5e-4);
        Assert.All(rows.Headers.Where(h => h.StartsWith("Attribution", StringComparison.Ordinal) || h == "Bias"), h => Assert.True(double.IsFinite(rows.Number(0, h)), h));
    }

    [AssetFact]
    public void Both_parts_of_a_wide_and_deep_model_are_explained()
    {
        var rows = Explain(Case("wide-and-deep.onnx"), Case("wd.csv"), "--from", "wide", "--from", "e");
        Assert.Equal(3 + 4, rows.Headers.Count(h => h.StartsWith("Attribution", StringComparison.Ordinal)));
        for (var i = 0; i < 2; i++)
        {
            var sum = rows.Headers.Where(h => h.StartsWith("Attribution", StringComparison.Ordinal)).Sum(h => rows.Number(i, h));
            Assert.Equal(rows.Number(i, "ExplainedScore"), sum + rows.Number(i, "Bias"), 1e-5);
        }
    }

    [AssetFact]
    public void Texts_are_read_from_their_column()
    {
        var rows = Explain(Case("string-and-float.onnx"), Case("city.csv"));
        // x·W + (the city's own weight) + b, by hand from the file.
        Assert.Equal([1 * 0.32293117 + 2 * 0.35182709 + 0.1276174 + 0.07495936, 0.2 * 0.32293117 + 0.1 * 0.35182709 + 0.16204803 + 0.07495936], Enumerable.Range(0, 2).Select(i => rows.Number(i, "ExplainedScore")), Near);
    }

    [AssetFact]
    public void Missing_cells_are_what_the_imputer_makes_of_them()
    {
        using var folder = new TemporaryFolder();
        var run = CliRun.Of("explain", Case("imputer-sdca.onnx"), Case("missing-cell.csv"), "--quiet", "--ignore-column", "diagnosis", "--out", folder.File("out.csv"));
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Contains("1 value in 1 row: the network puts its own in their place", run.Out, StringComparison.Ordinal);
        var rows = CsvTable.Read(folder.File("out.csv"));
        Assert.All(Enumerable.Range(0, rows.Rows.Count), i => Assert.True(double.IsFinite(rows.Number(i, "ExplainedScore"))));
        Assert.Equal(0, rows.Number(0, "Attribution.mean radius"));
    }

    private static readonly IEqualityComparer<double> Near = EqualityComparer<double>.Create((a, b) => Math.Abs(a - b) < 1e-5, _ => 0);

    private static string Case(string file) => AssetFolder.File(Path.Combine("cases", file));

    private static CsvTable Explain(string model, string table, params string[] options)
    {
        using var folder = new TemporaryFolder();
        var run = CliRun.Of(["explain", model, table, "--quiet", "--out", folder.File("out.csv"), .. options], CancellationToken.None);
        Assert.Equal((0, ""), (run.Code, run.Error));
        return CsvTable.Read(folder.File("out.csv"));
    }
}
