using System.Diagnostics;
using System.Globalization;
using MLNetLinearize.Cli;
using MLNetLinearize.Cli.Output;

namespace MLNetLinearize.Tests.Cli;

/// <summary>What a system does to a run: a pipe that is closed, a disk that is full, a terminal that goes away.</summary>
public sealed class SystemTests : IDisposable
{
    private static readonly string[] Digits = ["explain", Samples.Model("digits-cnn.onnx"), Samples.Digits, "--label-column", "label", "--scale", "1/16"];

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("csv", "Row,Label,")]
    [InlineData("jsonl", "{\"Row\":0,")]
    public async Task A_run_ends_quietly_when_its_reader_has_gone(string format, string start)
    {
        if (OperatingSystem.IsWindows()) return;
        // Much more than a pipe holds.
        using var process = CliProcess.StartBy("set -o pipefail; \"$@\" | head -n 1", [.. Digits, "--targets", "all", "--out", "-", "--format", format]);
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal((ExitCodes.ReaderGone, ""), (process.ExitCode, await error));
        Assert.StartsWith(start, output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("out.csv", "csv")]
    [InlineData("out.parquet", "parquet")]
    [InlineData("out.jsonl", "jsonl")]
    [InlineData("out.npz", "npz")]
    [InlineData("out.d", "npy")]
    public async Task A_full_disk_is_told_and_leaves_nothing(string name, string format)
    {
        if (OperatingSystem.IsWindows()) return;
        // A file that may not grow beyond 64 KiB, with the signal for it ignored, fails as on a full disk.
        using var process = CliProcess.StartBy("trap '' XFSZ; ulimit -f 64; exec \"$@\"", [.. Digits, "--targets", "all", "--quiet", "--format", format, "--out", folder.File(name)]);
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.StartsWith($"--out '{folder.File(name)}' cannot be written: ", error, StringComparison.Ordinal);
        Assert.EndsWith(". Name a file in a folder that can be written to, on a disk with room for it.\n", error, StringComparison.Ordinal);
        Assert.DoesNotContain(".tmp", error, StringComparison.Ordinal);
        Assert.Equal(ExitCodes.BadInput, process.ExitCode);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Theory]
    [InlineData("csv")]
    [InlineData("npz")]
    public async Task A_link_is_written_through_and_a_pipe_stays_one(string format)
    {
        if (OperatingSystem.IsWindows()) return;
        var (file, link, pipe) = (folder.File("file"), folder.File("link"), folder.File("pipe"));
        File.WriteAllText(file, "before");
        File.CreateSymbolicLink(link, file);
        using (var made = Process.Start("mkfifo", pipe)) await made.WaitForExitAsync();
        string[] few = [.. Digits, "--rows", "3", "--quiet", "--format", format, "--out"];

        Assert.Equal((0, ""), (CliRun.Of([.. few, link]) is var run ? run.Code : -1, run.Error));
        Assert.Equal(file, File.ResolveLinkTarget(link, returnFinalTarget: false)?.FullName);
        var read = Task.Run(() => File.ReadAllBytes(pipe));
        Assert.Equal(0, CliRun.Of([.. few, pipe]).Code);
        Assert.Equal(File.ReadAllBytes(file).Length, (await read).Length);
        Assert.Equal([file, link, pipe], Directory.GetFiles(folder.Path).Order());
    }

    [Theory]
    [InlineData("HUP")]
    [InlineData("INT")]
    [InlineData("TERM")]
    public async Task A_run_that_a_signal_stops_leaves_nothing(string signal)
    {
        if (OperatingSystem.IsWindows()) return;
        using var process = StartLong("exec \"$@\"", "--quiet");
        await Signal(signal, process.Id);
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal((ExitCodes.Stopped, "Stopped.\n"), (process.ExitCode, error));
        Assert.Equal(["rows.idx"], Directory.EnumerateFileSystemEntries(folder.Path).Select(f => Path.GetFileName(f)));
    }

    [Fact]
    public async Task Nohup_lets_a_run_go_on()
    {
        if (OperatingSystem.IsWindows()) return;
        using var process = StartLong("trap '' HUP; exec \"$@\"", "--quiet");
        await Signal("HUP", process.Id);
        Assert.False(process.WaitForExit(TimeSpan.FromSeconds(1)));
        process.Kill();
        await process.WaitForExitAsync();
    }

    [Theory]
    [InlineData]
    [InlineData("--json")]
    [InlineData("--help")]
    public async Task Standard_output_that_is_full_is_named(params string[] options)
    {
        if (!OperatingSystem.IsLinux()) return;
        using var process = CliProcess.StartBy("exec \"$@\" > /dev/full", ["inspect", Samples.Model("digits-mlp.onnx"), .. options]);
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal(ExitCodes.BadInput, process.ExitCode);
        Assert.Contains("Standard output cannot be written: No space left on device. Send it to a file on a disk with room for it, or to a program that reads it.", error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd('\n').Split('\n'));
    }

    [Fact]
    public void A_message_of_the_system_ends_like_a_sentence()
    {
        Assert.Equal("No space left on device.", Words.Sentence("No space left on device"));
        Assert.Equal("Access is denied.", Words.Sentence("Access is denied."));
    }

    [Fact]
    public async Task A_run_whose_terminal_is_closed_leaves_nothing()
    {
        // What gives the run a terminal of its own.
        if (!OperatingSystem.IsLinux() || !File.Exists("/usr/bin/script")) return;
        using var terminal = StartLong("script -qec \"$(printf '%q ' \"$@\")\" /dev/null < /dev/null > /dev/null & echo $!; wait", "--show", "0");
        var script = await terminal.StandardOutput.ReadLineAsync();
        await Signal("KILL", int.Parse(script!, CultureInfo.InvariantCulture));
        for (var i = 0; i < 1000 && Directory.EnumerateFiles(folder.Path, "*.tmp").Any(); i++) await Task.Delay(10);
        Assert.Equal(["rows.idx"], Directory.EnumerateFileSystemEntries(folder.Path).Select(f => Path.GetFileName(f)));
    }

    [Fact]
    public void What_a_closed_terminal_does_not_take_is_lost()
    {
        var full = new StreamWriter(new FullStream()) { AutoFlush = true };
        new StandardWriter(full, mayBeLost: true).WriteLine("text");
        Assert.Throws<InputException>(() => new StandardWriter(full, mayBeLost: false).WriteLine("text"));
    }

    private sealed class FullStream : MemoryStream
    {
        public override void Write(byte[] buffer, int offset, int count) => throw new IOException("Input/output error");

        public override void Write(ReadOnlySpan<byte> buffer) => throw new IOException("Input/output error");
    }

    /// <summary>A run of far more rows than a test waits for.</summary>
    private Process StartLong(string script, params string[] options)
    {
        const int Rows = 4_000_000;
        var data = folder.File("rows.idx");
        using (var file = File.Create(data))
        {
            file.Write([0, 0, 8, 2, .. new byte[] { 0, 61, 9, 0 }, 0, 0, 0, 64]);
            file.SetLength(12 + 64L * Rows);
        }
        return CliProcess.StartBy(script, ["explain", Samples.Model("digits-mlp.onnx"), data, "--out", folder.File("out.csv"), .. options]);
    }

    /// <summary>Sends a signal once the run writes its output.</summary>
    private async Task Signal(string signal, int process)
    {
        var clock = Stopwatch.StartNew();
        while (!Directory.EnumerateFiles(folder.Path, "*.tmp").Any(f => new FileInfo(f).Length > 0))
        {
            Assert.True(clock.Elapsed < TimeSpan.FromMinutes(2), "The run wrote nothing.");
            await Task.Delay(10);
        }
        using var kill = Process.Start("kill", [$"-{signal}", process.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    }
}
