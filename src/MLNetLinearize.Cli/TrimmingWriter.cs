using System.Text;

namespace MLNetLinearize.Cli;

/// <summary>Leaves out the blanks that tables pad their lines with: files and pipes then hold nothing that nobody sees.</summary>
internal sealed class TrimmingWriter(TextWriter inner) : TextWriter
{
    private int blanks;

    public override Encoding Encoding => inner.Encoding;

    public override void Write(char value)
    {
        if (value == ' ')
        {
            blanks++;
            return;
        }
        if (value is not ('\r' or '\n'))
            for (; blanks > 0; blanks--) inner.Write(' ');
        blanks = 0;
        inner.Write(value);
    }

    public override void Flush() => inner.Flush();
}
