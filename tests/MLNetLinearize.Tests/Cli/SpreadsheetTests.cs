namespace MLNetLinearize.Tests.Cli;

/// <summary>No text of a table that the tool writes is a formula for a spreadsheet; numbers, negative ones too, and other formats are as they are.</summary>
public class SpreadsheetTests
{
    private static readonly string[] Formulas = ["=cmd|' /C calc'!A0", "-2+3"];

    [Fact]
    public void Names_of_classes_get_an_apostrophe_in_front_and_numbers_do_not()
    {
        using var folder = new TemporaryFolder();
        Explain(folder, "out.csv");
        var rows = CsvTable.Read(folder.File("out.csv"));
        Assert.Equal(["'-2+3", "'=cmd|' /C calc'!A0"], rows.Rows.Select(r => r["Predicted"].Trim('"')));
        Assert.Equal("'=cmd|' /C calc'!A0", rows.Rows[0]["Label"].Trim('"'));
        Assert.Equal(["-2", "1"], rows.Rows.Select(r => r["Bias"]));
        Assert.Equal("-1", rows.Rows[0]["Attribution.@SUM(a)"]);
        var lines = File.ReadAllText(folder.File("out.csv")).Split('\n');
        Assert.DoesNotContain(lines.SelectMany(l => l.Split(',')), field => field.TrimStart('"') is { Length: > 0 } f && "=+@\t\r".Contains(f[0], StringComparison.Ordinal));
    }

    [Fact]
    public void Layers_and_json_are_told_apart()
    {
        using var folder = new TemporaryFolder();
        Explain(folder, "out.jsonl", "--every-layer", "--layer-out", folder.File("layers.csv"));
        Assert.Contains("\"Predicted\":\"-2+3\"", File.ReadAllText(folder.File("out.jsonl")), StringComparison.Ordinal);
        var layers = CsvTable.Read(folder.File("layers.csv"));
        Assert.Contains("'-2+3", layers.Rows.Select(r => r["Target"].Trim('"')));
        Assert.Contains("-2", layers.Rows.Select(r => r["Bias"]));
    }

    [Fact]
    public void A_target_without_a_name_is_a_number()
    {
        using var folder = new TemporaryFolder();
        var run = CliRun.Of("explain", TinyModels.WriteLinear(folder), folder.Write("rows.csv", "a,b,c\n1,2,3\n"), "--targets", "contrast:0,1", "--quiet", "--out", folder.File("out.csv"));
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.True(int.TryParse(CsvTable.Read(folder.File("out.csv")).Rows[0]["ExplainedTarget"], out _));
    }

    private static void Explain(TemporaryFolder folder, string output, params string[] options)
    {
        var run = CliRun.Of(["explain", TinyModels.WriteLinear(folder), folder.Write("rows.csv", "@SUM(a),b,c,truth\n1,2,3,0\n0,-1,4,1\n"), "--label-column", "truth", "--class-names", folder.Write("names.txt", string.Join('\n', Formulas)), "--quiet", "--out", folder.File(output), .. options]);
        Assert.Equal((0, ""), (run.Code, run.Error));
    }
}
