using System.Text;
using MLNetLinearize.Cli.Output;

namespace MLNetLinearize.Cli;

/// <summary>Text to a standard stream. What cannot be written is told as such, since the system's own message names no place, or is lost.</summary>
/// <param name="inner">The stream.</param>
/// <param name="mayBeLost">Whether what cannot be written is nobody's loss: a terminal that was closed has no reader, and a run ends as it would without one.</param>
internal sealed class StandardWriter(TextWriter inner, bool mayBeLost) : TextWriter
{
    public override Encoding Encoding => inner.Encoding;

    public override void Write(char value) => Try(() => inner.Write(value));

    public override void Write(string? value) => Try(() => inner.Write(value));

    public override void Write(char[] buffer, int index, int count) => Try(() => inner.Write(buffer, index, count));

    public override void Flush() => Try(inner.Flush);

    private void Try(Action write)
    {
        try
        {
            write();
        }
        catch (IOException) when (mayBeLost)
        {
            // Progress comes from a thread of its own, where a failure would end the process before it has tidied up.
        }
        catch (IOException e)
        {
            throw new InputException($"Standard output cannot be written: {Words.Sentence(e.Message)} Send it to a file on a disk with room for it, or to a program that reads it.");
        }
    }
}
