using MLNetLinearize.Cli;

namespace MLNetLinearize.Tests.Cli;

public class ShardTests
{
    [Theory]
    [InlineData(1797, 128, 16)]
    [InlineData(10, 3, 4)]
    [InlineData(10, 3, 7)]
    [InlineData(0, 16, 3)]
    [InlineData(5, 128, 2)]
    [InlineData(1L << 40, 1, 1000)]
    public void Parts_follow_one_another_and_leave_nothing_out(long rows, int block, int count)
    {
        var next = 0L;
        for (var i = 1; i <= count; i++)
        {
            var part = new Shard(i, count).Of(rows, block);
            Assert.Equal(next, part.First);
            Assert.True(part.Count >= 0 && (part.First % block == 0 || part.First == rows));
            // No part is larger than another by more than a block.
            Assert.InRange(part.Count, 0, (long)Math.Ceiling((double)rows / block / count) * block);
            next += part.Count;
        }
        Assert.Equal(rows, next);
    }

    [Theory]
    [InlineData("csv", "jsonl")]
    [InlineData("csv", "csv")]
    [InlineData("idx", "jsonl")]
    [InlineData("folder", "csv")]
    public void The_parts_outputs_are_the_whole_s(string data, string format)
    {
        using var folder = new TemporaryFolder();
        string[] arguments = data switch
        {
            "csv" => [Samples.Model("digits-cnn.onnx"), Samples.Digits, "--label-column", "label", "--scale", "1/16", "--rows", "1001"],
            "idx" => [Samples.Model("fashion-cnn.onnx"), Samples.Fashion("t10k-1000-images-idx3-ubyte.gz"), "--labels", Samples.Fashion("t10k-1000-labels-idx1-ubyte.gz"), "--scale", "1/255", "--rows", "150"],
            _ => [Samples.Model("fashion-cnn.onnx"), Samples.Fashion("png"), "--scale", "1/255", "--batch", "4"],
        };
        Explain(folder, $"whole.{format}", arguments);
        for (var i = 1; i <= 3; i++) Explain(folder, $"part-{i}.{format}", [.. arguments, "--shard", $"{i}/3"]);
        Assert.Equal(File.ReadAllText(folder.File($"whole.{format}")), string.Concat(Enumerable.Range(1, 3).Select(i => File.ReadAllText(folder.File($"part-{i}.{format}")))));
        Assert.True(new FileInfo(folder.File($"part-2.{format}")).Length > 0);
    }

    [Fact]
    public void A_part_without_rows_has_an_output_without_rows()
    {
        using var folder = new TemporaryFolder();
        var run = CliRun.Of("explain", TinyModels.WriteLinear(folder), folder.Write("rows.csv", "a,b,c\n1,2,3\n"), "--shard", "1/2", "--quiet", "--columns", "score", "--out", folder.File("out.csv"));
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Equal("Row,ExplainedScore\n", File.ReadAllText(folder.File("out.csv")).ReplaceLineEndings("\n"));
    }

    [Fact]
    public void A_part_without_rows_says_so_and_has_no_errors_to_tell()
    {
        using var folder = new TemporaryFolder();
        string[] arguments = ["explain", TinyModels.WriteLinear(folder), folder.Write("rows.csv", "a,b,c\n1,2,3\n"), "--shard", "1/2"];
        var run = CliRun.Of(arguments);
        Assert.Equal(0, run.Code);
        Assert.Contains("rows        0: this part is empty, since there are more parts than blocks of rows\n", run.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("exactness", run.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("NaN", run.Out + run.Error, StringComparison.Ordinal);
        var error = System.Text.Json.Nodes.JsonNode.Parse(CliRun.Of([.. arguments, "--json"]).Out)!["error"]!;
        Assert.Null(error["worstRow"]);
        Assert.Null(error["worstTarget"]);
        Assert.Null(error["scaled"]!["worst"]);
    }

    [Theory]
    [InlineData("0/3")]
    [InlineData("4/3")]
    [InlineData("2")]
    [InlineData("a/b")]
    public void No_parts(string text)
    {
        using var folder = new TemporaryFolder();
        var run = CliRun.Of("explain", TinyModels.WriteLinear(folder), folder.Write("rows.csv", "a,b,c\n1,2,3\n"), "--shard", text);
        Assert.Equal((1, $"--shard '{text}': expected i/n with i from 1 to n, such as 3/16.\n"), (run.Code, run.Error));
    }

    [Fact]
    public void A_table_on_standard_input_has_no_parts()
    {
        using var folder = new TemporaryFolder();
        var (run, _) = CliRun.Piped("a,b,c\n1,2,3\n"u8.ToArray(), "explain", TinyModels.WriteLinear(folder), "-", "--shard", "1/2");
        Assert.Equal((1, "--shard needs the number of rows, which a table on standard input does not tell. Name a file.\n"), (run.Code, run.Error));
    }

    private static void Explain(TemporaryFolder folder, string output, string[] arguments)
    {
        var run = CliRun.Of(["explain", .. arguments, "--quiet", "--out", folder.File(output)]);
        Assert.Equal((0, ""), (run.Code, run.Error));
    }
}
