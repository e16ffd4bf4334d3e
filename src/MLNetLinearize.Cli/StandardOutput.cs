using Microsoft.Win32.SafeHandles;

namespace MLNetLinearize.Cli;

/// <summary>Standard output for data. The console's own stream throws away in silence what no one reads any more, and a run would go on to its end for nothing.</summary>
internal static class StandardOutput
{
    private const int Descriptor = 1;

    /// <summary>The number of the system's error EPIPE, the same in Linux, macOS and the BSDs.</summary>
    private const int BrokenPipe = 32;

    public static Stream Open()
    {
        if (OperatingSystem.IsWindows()) return Console.OpenStandardOutput();
        var stream = new FileStream(new SafeFileHandle(Descriptor, ownsHandle: false), FileAccess.Write, bufferSize: 0);
        // Of a file this stream would keep a place of its own, and the next program that writes to it would begin at the old one.
        return stream.CanSeek ? Console.OpenStandardOutput() : stream;
    }

    /// <summary>Whether a write failed because the reader has gone.</summary>
    public static bool IsGone(Exception failure) => failure is IOException { HResult: BrokenPipe } && !OperatingSystem.IsWindows();
}

/// <summary>Who reads standard output has read enough.</summary>
internal sealed class ReaderGoneException() : Exception("The reader of standard output has gone.");
