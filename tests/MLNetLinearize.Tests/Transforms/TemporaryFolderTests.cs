using Microsoft.ML;
using MLNetLinearize.Transforms;

namespace MLNetLinearize.Tests.Transforms;

/// <summary>Saving leaves nothing in the temporary folder, which these tests move for the whole process: they run alone.</summary>
[Collection(nameof(TemporaryFolderTests))]
public sealed class TemporaryFolderTests : IDisposable
{
    private readonly MLContext ml = new(seed: 1);
    private readonly string folder = Directory.CreateTempSubdirectory("temporary-folder-tests").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void LeavesNothingInTheTemporaryFolder()
    {
        var temporary = Directory.CreateDirectory(Path.Combine(folder, "tmp")).FullName;
        var data = Rows.View(ml, 1);
        using var transformer = new LinearizingEstimator(new HandMadeGraph(3).Graph).Fit(data);
        WithTemporaryFolder(temporary, () => ml.Model.Save(transformer, data.Schema, Path.Combine(folder, "model.zip")));

        Assert.Empty(Directory.GetFileSystemEntries(temporary));
    }

    [Fact]
    public void LeavesNothingWhenTheTargetIsFull()
    {
        var temporary = Directory.CreateDirectory(Path.Combine(folder, "tmp")).FullName;
        var data = Rows.View(ml, 1);
        using var transformer = new LinearizingEstimator(new HandMadeGraph(2).Graph).Fit(data);
        WithTemporaryFolder(temporary, () => Assert.ThrowsAny<Exception>(() =>
        {
            // Linux has a device that is always full.
            using var full = OperatingSystem.IsLinux() ? File.OpenWrite("/dev/full") : throw new IOException();
            ml.Model.Save(transformer, data.Schema, full);
            full.Flush();
        }));

        Assert.DoesNotContain(Directory.GetFileSystemEntries(temporary), f => f.Contains("mlnetlinearize", StringComparison.Ordinal));
    }

    [Fact]
    public void SaysWhenTheTemporaryFileCannotBeWritten()
    {
        // A file where the folder should be cannot be written into by anyone, root included.
        var blocked = Path.Combine(folder, "no-folder");
        File.WriteAllText(blocked, "");
        var model = StockStage.Build(new ColumnBinding(new HandMadeGraph(2).Graph, Rows.View(ml, 1).Schema));
        var error = Assert.Throws<IOException>(() => StockStage.Write(model, Path.Combine(blocked, "model.onnx")));

        Assert.Contains("The model cannot be saved", error.Message, StringComparison.Ordinal);
        Assert.Contains("TMPDIR", error.Message, StringComparison.Ordinal);
    }

    private static void WithTemporaryFolder(string temporary, Action action)
    {
        var before = Environment.GetEnvironmentVariable("TMPDIR");
        Environment.SetEnvironmentVariable("TMPDIR", temporary);
        try
        {
            action();
        }
        finally
        {
            Environment.SetEnvironmentVariable("TMPDIR", before);
        }
    }
}

[CollectionDefinition(nameof(TemporaryFolderTests), DisableParallelization = true)]
public sealed class RunsAlone;
