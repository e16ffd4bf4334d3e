namespace MLNetLinearize.Tests.Cli;

/// <summary>Tables as people have them: decimal commas, no header line, cells without a value, columns of different scales.</summary>
public class TableTests
{
    [Theory]
    [InlineData("a;b;c\n1,5;2;3\n")]
    [InlineData("a\tb\tc\n1,5\t2,0\t3\n")]
    [InlineData("a,b,c\n\"1,5\",2,\"3,0\"\n")]
    [InlineData("a;b;c\n\"1,5\";\"2\";\"3\"\n")]
    [InlineData("a;b;c\n1.5;2;3\n")]
    [InlineData("a,b,c\n1.5e0,+2,3.000\n")]
    public void Numbers_have_a_decimal_point_or_a_decimal_comma(string table) => Assert.Equal((-2, 6.0), Scores(table)[0]);

    [Theory]
    [InlineData("a;b;c\n1,5;2.5;3\n", "line 2, column 'b': expected a decimal comma as in '1,5' ('", "', line 2, column 'a'), but got '2.5'.")]
    [InlineData("a;b;c\n1.5;2;3\n1,5;2;3\n", "line 3, column 'a': expected a decimal point as in '1.5' ('", "', line 2, column 'a'), but got '1,5'.")]
    [InlineData("a,b,c\n\"1,500\",2,3\n", "expected a number with a decimal point, since a comma before three digits may mean thousands, but got '1,500'.", "")]
    [InlineData("a,b,c\n\"1,500,000\",2,3\n", "expected a number whose thousands are not separated, but got '1,500,000'.", "")]
    [InlineData("a;b;c\n1.500,25;2;3\n", "expected a number whose thousands are not separated, but got '1.500,25'.", "")]
    [InlineData("a;b;c\n1,x;2;3\n", "expected a finite number, but got '1,x'.", "")]
    public void What_could_mean_something_else_is_refused(string table, string message, string rest)
    {
        using var folder = new TemporaryFolder();
        var run = CliRun.Of("explain", TinyModels.WriteLinear(folder), folder.Write("rows.csv", table), "--quiet");
        Assert.Equal(1, run.Code);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
        Assert.Contains(rest, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_first_line_of_numbers_is_a_row_and_that_is_told()
    {
        using var folder = new TemporaryFolder();
        var (model, table) = (TinyModels.WriteLinear(folder), folder.Write("rows.csv", "1.5,2,3\n0,0,0\n"));
        var run = CliRun.Of("explain", model, table, "--targets", "classes:0,1", "--quiet", "--columns", "score,attribution", "--out", folder.File("out.csv"));
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Contains("the table has no header line: its first line holds numbers alone, and is a row", run.Out, StringComparison.Ordinal);
        var columns = CsvTable.Read(folder.File("out.csv"));
        Assert.Equal([-2, 1], columns.Rows.Select((_, i) => columns.Number(i, "ExplainedScore.0")));
        Assert.Contains("Attribution.0|[2]", columns.Headers);
        Assert.Single(Scores("1.5,2,3\n0,0,0\n", "--header", "yes"));
        Assert.DoesNotContain("no header line", CliRun.Of("explain", model, table, "--header", "no").Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0,1,2\n1.5,2,3\n")]
    [InlineData("1,2,3\n1.5,2,3\n")]
    public void Columns_may_be_counted_by_their_names(string table) => Assert.Equal((-2, 6.0), Assert.Single(Scores(table)));

    [Fact]
    public void A_part_of_a_table_without_header_begins_with_its_own_rows()
    {
        using var folder = new TemporaryFolder();
        var (model, table) = (TinyModels.WriteLinear(folder), folder.Write("rows.csv", string.Concat(Enumerable.Range(0, 300).Select(i => $"{i}.5,2,3\n"))));
        foreach (var shard in new[] { "1/2", "2/2" })
            Assert.Equal(0, CliRun.Of("explain", model, table, "--quiet", "--shard", shard, "--columns", "score", "--out", folder.File($"{shard[0]}.csv")).Code);
        var whole = CliRun.Of("explain", model, table, "--quiet", "--columns", "score", "--out", folder.File("whole.csv"));
        Assert.Equal(0, whole.Code);
        Assert.Equal(File.ReadAllText(folder.File("whole.csv")), File.ReadAllText(folder.File("1.csv")) + File.ReadAllText(folder.File("2.csv")));
    }

    [Theory]
    [InlineData("skip", new long[] { 0, 3 }, "2 values in 2 rows: those rows are left out")]
    [InlineData("10", new long[] { 0, 1, 2, 3 }, "2 values in 2 rows: taken as 10")]
    public void Missing_values_are_filled_or_their_rows_left_out(string how, long[] rows, string told)
    {
        using var folder = new TemporaryFolder();
        var run = CliRun.Of("explain", TinyModels.WriteLinear(folder), folder.Write("rows.csv", "a,b,c\n1.5,2,3\n,0,0\n0,null,0\n1,0,0\n"), "--missing", how, "--quiet", "--targets", "classes:0", "--columns", "score", "--out", folder.File("out.csv"));
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Contains(told, run.Out, StringComparison.Ordinal);
        var columns = CsvTable.Read(folder.File("out.csv"));
        Assert.Equal(rows, columns.Rows.Select((_, i) => (long)columns.Number(i, "Row")));
        Assert.Equal(how == "skip" ? [-2, 3] : [-2, 21, -29, 3], columns.Rows.Select((_, i) => columns.Number(i, "ExplainedScore")));
    }

    [Fact]
    public void Rows_that_are_left_out_keep_their_numbers_and_are_resumed_alike()
    {
        using var folder = new TemporaryFolder();
        var table = folder.Write("rows.csv", "a,b,c\n" + string.Concat(Enumerable.Range(0, 500).Select(i => i % 3 == 1 ? ",0,0\n" : $"{i},0,0\n")));
        string[] arguments = ["explain", TinyModels.WriteLinear(folder), table, "--missing", "skip", "--quiet", "--columns", "score", "--targets", "classes:0"];
        Assert.Equal(0, CliRun.Of([.. arguments, "--out", folder.File("out.csv")]).Code);
        var columns = CsvTable.Read(folder.File("out.csv"));
        Assert.Equal(Enumerable.Range(0, 500).Where(i => i % 3 != 1).Select(i => (i, 2.0 * i + 1)), columns.Rows.Select((_, i) => ((int)columns.Number(i, "Row"), columns.Number(i, "ExplainedScore"))));
        Assert.Equal(0, CliRun.Of([.. arguments, "--resume", "--out", folder.File("again.csv")]).Code);
        Assert.Equal(File.ReadAllText(folder.File("out.csv")), File.ReadAllText(folder.File("again.csv")));
    }

    [Theory]
    [InlineData("network", "--missing network: the network puts nothing in the place of missing values")]
    [InlineData("some", "--missing 'some': expected network")]
    public void A_wrong_remedy_for_missing_values_is_refused(string how, string message)
    {
        using var folder = new TemporaryFolder();
        var run = CliRun.Of("explain", TinyModels.WriteLinear(folder), folder.Write("rows.csv", "a,b,c\n1,2,3\n"), "--missing", how, "--quiet");
        Assert.Equal(1, run.Code);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Each_column_has_a_mean_and_a_deviation_of_its_own()
    {
        Assert.Equal((-2, 6.0), Assert.Single(Scores("a,b,c\n13,4.5,30\n", "--mean", "10,0.5,0", "--std", "2,2,10")));
        using var folder = new TemporaryFolder();
        var standard = folder.Write("standard.json", """{"with_mean": true, "mean_": [0, 10, 0.5], "scale_": [10, 2, 2], "feature_names_in_": ["c", "a", "b"], "var_": [100, 4, 4]}""");
        Assert.Equal((-2, 6.0), Assert.Single(Scores("a,b,c\n13,4.5,30\n", "--preprocessing", standard)));
        // x · scale_ + min_
        var range = folder.Write("range.json", """{"feature_range": [0, 1], "min_": [-5, -0.25, 0], "scale_": [0.5, 0.5, 0.1], "data_min_": [0, 0, 0], "clip": false}""");
        Assert.Equal((-2, 6.0), Assert.Single(Scores("a,b,c\n13,4.5,30\n", "--preprocessing", range)));
    }

    [Theory]
    [InlineData("""{"mean_": [1, 2, 3], "scale_": [1, 0, 1]}""", "field 'scale_': expected numbers other than 0")]
    [InlineData("""{"mean_": [1, 2], "scale_": [1, 2, 3]}""", "has fields of 2 and 3 features")]
    [InlineData("""{"mean_": [1, 2, 3], "lambdas_": [1, 2, 3]}""", "has the field 'lambdas_', which is not understood among the attributes of a scaler")]
    [InlineData("""{"min_": [1, 2, 3], "scale_": [1, 1, 1], "clip": true}""", "cuts values off (clip)")]
    [InlineData("""{"mean_": [1, 2, 3], "feature_names_in_": ["a", "b", "d"]}""", "the scaler knows the columns a, b, d, and the data has c besides")]
    public void A_scaler_that_would_do_something_else_is_refused(string json, string message)
    {
        using var folder = new TemporaryFolder();
        var run = CliRun.Of("explain", TinyModels.WriteLinear(folder), folder.Write("rows.csv", "a,b,c\n1,2,3\n"), "--preprocessing", folder.Write("scaler.json", json), "--quiet");
        Assert.Equal(1, run.Code);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
    }

    /// <summary>Both scores of each row, rounded to the digits that a decimal number has.</summary>
    private static List<(double First, double Second)> Scores(string table, params string[] options)
    {
        using var folder = new TemporaryFolder();
        var run = CliRun.Of(["explain", TinyModels.WriteLinear(folder), folder.Write("rows.csv", table), "--targets", "all", "--columns", "score", "--quiet", "--out", folder.File("out.csv"), .. options]);
        Assert.Equal((0, ""), (run.Code, run.Error));
        var columns = CsvTable.Read(folder.File("out.csv"));
        return [.. columns.Rows.Select((_, i) => (Math.Round(columns.Number(i, "ExplainedScore.0"), 5), Math.Round(columns.Number(i, "ExplainedScore.1"), 5)))];
    }
}
