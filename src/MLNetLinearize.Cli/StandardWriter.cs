using System.Text;
using MLNetLinearize.Cli.Output;

namespace MLNetLinearize.Cli;

/// <summary>Standard output for text. What cannot be written there is told as such: the system's own message names no place.</summary>
internal sealed class StandardWriter(TextWriter inner) : TextWriter
{
    public override Encoding Encoding => inner.Encoding;

    public override void Write(char value) => Try(() => inner.Write(value));

    public override void Write(string? value) => Try(() => inner.Write(value));

    public override void Write(char[] buffer, int index, int count) => Try(() => inner.Write(buffer, index, count));

    public override void Flush() => Try(inner.Flush);

    private static void Try(Action write)
    {
        try
        {
            write();
        }
        catch (IOException e)
        {
            throw new InputException($"Standard output cannot be written: {Words.Sentence(e.Message)} Send it to a file on a disk with room for it, or to a program that reads it.");
        }
    }
}
