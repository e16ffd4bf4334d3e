using System.Diagnostics;
using MLNetLinearize.Tests.Cli;

namespace MLNetLinearize.Tests.Assets;

/// <summary>Files made to hurt whoever reads them: each is refused by its name, in a moment and without memory.</summary>
public class HostileDataCaseTests
{
    private const long MostBytes = 500_000_000;
    private static readonly TimeSpan MostProcessorTime = TimeSpan.FromSeconds(4);

    [AssetTheory]
    [InlineData("memory-csv-gz-4GB-line.csv.gz", "digits-mlp.onnx", "bytes, the most that a row of a table for this network may have.")]
    [InlineData("exit4-parquet-schema.parquet", "digits-mlp.onnx", "is no sound Parquet file: ")]
    [InlineData("message-oom-parquet-footer-length.parquet", "digits-mlp.onnx", "is no sound Parquet file: its footer would have 2,147,483,647 bytes, and there are 1,904.")]
    [InlineData("silent-png-with-100-of-812-bytes.png", "fashion-cnn.onnx", "ends before its last pixel: it is cut short or damaged.")]
    [InlineData("memory-image-40000x40000.png", "fashion-cnn.onnx", "has 40,000 × 40,000 pixels, more than the 100,000,000 that an image may have.")]
    public async Task Data_is_refused_in_a_moment(string file, string model, string message)
    {
        using var folder = new TemporaryFolder();
        var data = AssetFolder.File(Path.Combine("cases/hostile", file));
        var isImage = Path.GetExtension(file) == ".png";
        if (isImage) File.Copy(data, folder.File(file));
        using var process = CliProcess.Start("explain", Samples.Model(model), isImage ? folder.Path : data, "--quiet");
        var (peak, time) = await Watch(process);
        var error = await process.StandardError.ReadToEndAsync();
        Assert.Equal(1, process.ExitCode);
        Assert.Contains(file, error, StringComparison.Ordinal);
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd('\n').Split('\n'));
        Assert.InRange(peak, 0, MostBytes);
        Assert.InRange(time, TimeSpan.Zero, MostProcessorTime);
    }

    [AssetTheory]
    [InlineData("inspect")]
    [InlineData("inspect", "--tensors")]
    [InlineData("explain")]
    public void Names_of_tensors_do_not_command_a_terminal(string command, params string[] options)
    {
        using var folder = new TemporaryFolder();
        string[] data = command == "explain" ? [folder.Write("rows.csv", "a,b,c,d\n1,2,3,4\n")] : [];
        var run = CliRun.Of([command, AssetFolder.File("cases/hostile/terminal-escapes-in-tensor-names.onnx"), .. data, .. options]);
        Assert.Equal(0, run.Code);
        Assert.DoesNotContain(run.Out + run.Error, c => c != '\n' && char.IsControl(c));
        Assert.Contains(@"\u001b[2J\u001b]0;pwn\u0007\u001b[31m", run.Out, StringComparison.Ordinal);
    }

    /// <summary>Most memory and the processor time that a process took, as far as one sees them from outside.</summary>
    private static async Task<(long Bytes, TimeSpan Time)> Watch(Process process)
    {
        var (bytes, time) = (0L, TimeSpan.Zero);
        while (!process.HasExited)
        {
            try
            {
                process.Refresh();
                (bytes, time) = (Math.Max(bytes, process.PeakWorkingSet64), process.TotalProcessorTime);
            }
            catch (InvalidOperationException)
            {
                // It ended between two looks.
            }
            await Task.Delay(10);
        }
        return (bytes, time);
    }
}
