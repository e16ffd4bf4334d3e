namespace MLNetLinearize.Tests.Cli;

/// <summary>A run that was interrupted anywhere goes on from there, and ends with the same bytes as one that was not.</summary>
public class ResumeTests
{
    private const string Rows = "a,b,c,truth\n1,2,3,0\n0,-1,4,1\n2,2,2,0\n-1,0.5,1,1\n7,8,9,0\n";
    private const string Interrupted = "a,b,c,truth\n1,2,3,0\n0,-1,4,1\n2,2,2,0\n-1,0.5,1,1\n7,x,9,0\n";

    [Theory]
    [InlineData("out.csv")]
    [InlineData("out.parquet")]
    [InlineData("out.jsonl")]
    [InlineData("out.npz")]
    public void Wherever_the_journal_ends_the_run_goes_on(string name)
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(0, Explain(folder, Rows, folder.File($"whole-{name}")).Code);
        var whole = File.ReadAllBytes(folder.File($"whole-{name}"));
        Assert.Equal(1, Explain(folder, Interrupted, folder.File(name), "--resume").Code);
        Assert.False(File.Exists(folder.File(name)));
        var journal = File.ReadAllBytes(folder.File($"{name}.resume"));
        var taken = new HashSet<string>();
        for (var length = 0; length <= journal.Length; length += name == "out.csv" ? 1 : 97)
        {
            File.WriteAllBytes(folder.File($"{name}.resume"), journal[..length]);
            var run = Explain(folder, Rows, folder.File(name), "--resume", "--json");
            Assert.Equal((0, ""), (run.Code, run.Error));
            taken.Add(Taken(run));
            Assert.Equal(whole, File.ReadAllBytes(folder.File(name)));
            Assert.False(File.Exists(folder.File($"{name}.resume")));
        }
        // Four rows in blocks of one were finished; nothing that was is done again.
        if (name == "out.csv") Assert.Equal(["0", "1", "2", "3", "4"], taken.Order());
    }

    [Fact]
    public void A_whole_journal_is_taken_over_whole()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(1, Explain(folder, Interrupted, folder.File("out.csv"), "--resume").Code);
        var run = Explain(folder, Rows, folder.File("out.csv"), "--resume");
        Assert.Contains("resumed     4 rows taken over from the interrupted run\n", run.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("out.csv")]
    [InlineData("out.npz")]
    [InlineData("out.d", "--format", "npy")]
    public void What_a_killed_run_left_unfinished_is_gone_after_the_next(string name, params string[] options)
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(0, Explain(folder, Rows, folder.File(name), [.. options, "--resume"]).Code);
        string[] expected = [.. Directory.EnumerateFileSystemEntries(folder.Path).Order()];
        if (File.Exists(folder.File(name))) File.Delete(folder.File(name));
        else Directory.Delete(folder.File(name), recursive: true);
        // Where such a run has its outputs until they are complete.
        if (options.Length == 0) folder.Write($".{name}.resume.tmp", "half");
        if (name != "out.csv")
        {
            var arrays = $".{(options.Length == 0 ? $"{name}.arrays" : name)}.resume.tmp";
            Directory.CreateDirectory(folder.File(arrays));
            folder.Write(Path.Combine(arrays, "Weights.npy"), "half");
        }
        var run = Explain(folder, Rows, folder.File(name), [.. options, "--resume"]);
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Equal(expected, Directory.EnumerateFileSystemEntries(folder.Path).Order());
    }

    [Fact]
    public void A_run_under_way_keeps_what_it_has_written()
    {
        using var folder = new TemporaryFolder();
        folder.Write(".out.csv.resume.tmp", "half");
        using var open = File.Open(folder.File("out.csv.resume"), FileMode.Create, FileAccess.ReadWrite, FileShare.None);
        Assert.Equal(1, Explain(folder, Rows, folder.File("out.csv"), "--resume").Code);
        Assert.Equal("half", File.ReadAllText(folder.File(".out.csv.resume.tmp")));
    }

    [Fact]
    public void The_folder_of_journal_and_output_need_not_be_there()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(0, Explain(folder, Rows, folder.File("new/folder/out.csv"), "--resume").Code);
        Assert.Equal([folder.File("new/folder/out.csv")], Directory.EnumerateFileSystemEntries(folder.File("new/folder")));
    }

    [Fact]
    public void A_run_that_finished_nothing_leaves_no_journal()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(1, Explain(folder, "a,b,c,truth\n1,x,3,0\n", folder.File("out.csv"), "--resume").Code);
        Assert.False(File.Exists(folder.File("out.csv.resume")));
    }

    [Fact]
    public void A_damaged_record_ends_what_is_taken_over()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(0, Explain(folder, Rows, folder.File("whole.csv")).Code);
        Assert.Equal(1, Explain(folder, Interrupted, folder.File("out.csv"), "--resume").Code);
        var journal = File.ReadAllBytes(folder.File("out.csv.resume"));
        journal[^200] ^= 1;
        File.WriteAllBytes(folder.File("out.csv.resume"), journal);
        var run = Explain(folder, Rows, folder.File("out.csv"), "--resume", "--json");
        Assert.Equal((0, "2"), (run.Code, Taken(run)));
        Assert.Equal(File.ReadAllBytes(folder.File("whole.csv")), File.ReadAllBytes(folder.File("out.csv")));
    }

    [Theory]
    [InlineData("--targets was not given, now all", "--targets", "all")]
    [InlineData("--scale was not given, now 2", "--scale", "2")]
    [InlineData("--label-column was truth, now not given; --ignore-column was not given, now truth", "--ignore-column", "truth")]
    [InlineData("results was Score, ExplainedTarget, ExplainedScore, Bias, LinearizationError, Attribution, now Score, ExplainedTarget, ExplainedScore, Bias, LinearizationError, Attribution, Weights", "--columns", "weights")]
    public void Another_run_s_journal_is_refused(string difference, params string[] options)
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(1, Explain(folder, Interrupted, folder.File("out.csv"), "--resume").Code);
        var before = File.ReadAllBytes(folder.File("out.csv.resume"));
        var label = options[0] == "--ignore-column" ? [] : new[] { "--label-column", "truth" };
        var run = CliRun.Of(["explain", folder.File("linear.onnx"), folder.Write("rows.csv", Rows), "--batch", "1", "--resume", "--out", folder.File("out.csv"), .. label, .. options]);
        Assert.Equal((1, ""), (run.Code, run.Out));
        foreach (var part in difference.Split("; ")) Assert.Contains(part, run.Error, StringComparison.Ordinal);
        Assert.Contains($"or delete '{folder.File("out.csv.resume")}' to start anew.", run.Error, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(folder.File("out.csv.resume")));
    }

    [Fact]
    public void Another_model_and_other_rows_are_refused()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(1, Explain(folder, Interrupted, folder.File("out.csv"), "--resume").Code);
        Assert.Contains("DATA was 56 bytes, now 70 bytes", Explain(folder, Rows + "1,1,1,0\n1,0,1\n", folder.File("out.csv"), "--resume").Error, StringComparison.Ordinal);
        Assert.Contains("the rows 2 to 2 of the data are not those that the interrupted run explained.", Explain(folder, Rows.Replace("2,2,2", "2,3,2", StringComparison.Ordinal), folder.File("out.csv"), "--resume").Error, StringComparison.Ordinal);
        Assert.Contains("the rows 3 to 3 of the data", Explain(folder, Rows.Replace("1,1\n", "1,0\n", StringComparison.Ordinal), folder.File("out.csv"), "--resume").Error, StringComparison.Ordinal);
        File.Copy(TinyModels.WriteDouble(folder), folder.File("linear.onnx"), overwrite: true);
        var run = CliRun.Of("explain", folder.File("linear.onnx"), folder.Write("rows.csv", Rows), "--label-column", "truth", "--batch", "1", "--resume", "--out", folder.File("out.csv"));
        Assert.Contains("MODEL was SHA-256 ", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_journal_is_left_alone()
    {
        using var folder = new TemporaryFolder();
        folder.Write("out.csv.resume", "my own notes");
        var run = Explain(folder, Rows, folder.File("out.csv"), "--resume");
        Assert.Equal(1, run.Code);
        Assert.Contains("is in the way: it is no journal of this tool.", run.Error, StringComparison.Ordinal);
        Assert.Equal("my own notes", File.ReadAllText(folder.File("out.csv.resume")));
    }

    [Fact]
    public void Two_runs_do_not_share_a_journal()
    {
        using var folder = new TemporaryFolder();
        using (File.Open(folder.File("out.csv.resume"), FileMode.Create, FileAccess.ReadWrite, FileShare.None))
            Assert.Contains("Is another run with the same output still under way?", Explain(folder, Rows, folder.File("out.csv"), "--resume").Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_file_there_is_nothing_to_resume()
    {
        using var folder = new TemporaryFolder();
        var run = CliRun.Of("explain", TinyModels.WriteLinear(folder), folder.Write("rows.csv", "a,b,c\n1,2,3\n"), "--resume");
        Assert.Equal((1, "--resume keeps what is finished beside the output, and no file is written. Name one with --out.\n"), (run.Code, run.Error));
    }

    [Fact]
    public void A_process_killed_again_and_again_ends_with_the_same_bytes()
    {
        using var folder = new TemporaryFolder();
        string[] arguments = ["explain", Samples.Model("digits-cnn.onnx"), Samples.Digits, "--label-column", "label", "--scale", "1/16", "--targets", "all", "--columns", "label,score,bias,attribution,weights", "--quiet"];
        Assert.Equal(0, CliRun.Of([.. arguments, "--out", folder.File("whole.parquet")]).Code);
        string[] resumed = [.. arguments, "--resume", "--out", folder.File("out.parquet"), "--json"];
        var kills = 0;
        foreach (var size in new[] { 1, 1_000_000, 4_000_000 })
        {
            using var process = CliProcess.Start(resumed);
            // As soon as so much is finished; the poll is shorter than a block takes.
            while (!process.HasExited && Length(folder.File("out.parquet.resume")) < size) Thread.Sleep(1);
            if (process.HasExited) break;
            process.Kill();
            process.WaitForExit();
            kills++;
            // What the run wrote has one place, however many are killed.
            Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path).Select(f => Path.GetFileName(f)).Except([".out.parquet.resume.tmp", "out.parquet.resume", "whole.parquet"]));
            Assert.False(File.Exists(folder.File("out.parquet")));
        }
        Assert.True(kills > 0, "The process was through before it could be killed.");
        var last = CliRun.Of(resumed);
        Assert.Equal((0, ""), (last.Code, last.Error));
        Assert.NotEqual("0", Taken(last));
        Assert.Equal(File.ReadAllBytes(folder.File("whole.parquet")), File.ReadAllBytes(folder.File("out.parquet")));
        Assert.Equal(["out.parquet", "whole.parquet"], Directory.EnumerateFileSystemEntries(folder.Path).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal));
    }

    private static long Length(string file) => File.Exists(file) ? new FileInfo(file).Length : 0;

    private static string Taken(CliRun run) => System.Text.Json.JsonDocument.Parse(run.Out).RootElement.GetProperty("resumedRows").ToString();

    private static CliRun Explain(TemporaryFolder folder, string rows, string output, params string[] options) =>
        CliRun.Of(["explain", TinyModels.WriteLinear(folder), folder.Write("rows.csv", rows), "--label-column", "truth", "--batch", "1", "--quiet", "--out", output, .. options]);
}
