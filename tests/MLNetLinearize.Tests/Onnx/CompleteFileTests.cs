using System.Diagnostics;
using MLNetLinearize.Onnx;

namespace MLNetLinearize.Tests;

public sealed class CompleteFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("complete-").FullName;

    [Fact]
    public void A_link_stays_one_and_what_it_points_to_is_written()
    {
        var (link, file) = (InFolder("link"), InFolder("file"));
        File.WriteAllText(file, "before");
        File.CreateSymbolicLink(link, file);
        CompleteFile.Write(link, s => s.Write("after"u8));
        Assert.Equal(file, File.ResolveLinkTarget(link, returnFinalTarget: false)?.FullName);
        Assert.Equal("after", File.ReadAllText(file));
        Assert.Equal(2, Directory.GetFiles(folder).Length);
    }

    [PosixFact]
    public async Task A_pipe_is_written_to_and_stays()
    {
        var pipe = InFolder("pipe");
        using (var made = Process.Start("mkfifo", pipe)) made.WaitForExit();
        var read = Task.Run(() => File.ReadAllText(pipe));
        CompleteFile.Write(pipe, s => s.Write("content"u8));
        Assert.Equal("content", await read);
        Assert.Equal([pipe], Directory.GetFiles(folder));
    }

    [PosixFact]
    public void A_full_disk_is_told_with_the_name_that_was_given()
    {
        var e = Assert.Throws<IOException>(() => CompleteFile.Write("/dev/full", s => s.Write(new byte[100_000])));
        Assert.StartsWith("'/dev/full' cannot be written: No space left on device", e.Message, StringComparison.Ordinal);
        Assert.Equal(0, new FileInfo("/dev/full").Length);
    }

    [Fact]
    public void Folders_on_the_way_are_made()
    {
        CompleteFile.Write(InFolder(Path.Combine("a", "b", "c.txt")), s => s.Write("x"u8));
        Assert.Equal("x", File.ReadAllText(InFolder(Path.Combine("a", "b", "c.txt"))));
    }

    [Fact]
    public void What_fails_while_it_writes_leaves_the_file_as_it_was_and_its_own_error()
    {
        File.WriteAllText(InFolder("kept"), "before");
        var e = Assert.Throws<IOException>(() => CompleteFile.Write(InFolder("kept"), _ => throw new IOException("the data cannot be read")));
        Assert.Equal("the data cannot be read", e.Message);
        Assert.Equal("before", File.ReadAllText(InFolder("kept")));
        Assert.Equal([InFolder("kept")], Directory.GetFiles(folder));
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string InFolder(string name) => Path.Combine(folder, name);

    private sealed class PosixFactAttribute : FactAttribute
    {
        public PosixFactAttribute() => Skip = OperatingSystem.IsWindows() ? "Windows has no such files." : null;
    }
}
