using System.Text;

namespace MLNetLinearize.Cli.Data;

/// <summary>Files of text, of which no more is read than such a file can hold: a few kilobytes of gzip unpack to a line of gigabytes.</summary>
internal static class TextFile
{
    /// <summary>Most characters of a file that is read whole: more than any network has of names or channels.</summary>
    private const int MostOfFile = 16 << 20;

    /// <summary>Most characters of a line that holds a label or a name.</summary>
    private const int MostOfLine = 1 << 16;

    /// <summary>Reads a file whole.</summary>
    /// <param name="argument">The argument that names it.</param>
    /// <param name="file">The file.</param>
    /// <exception cref="InputException">There is none, or it is too long.</exception>
    public static string Read(string argument, string file)
    {
        if (!File.Exists(file)) throw new InputException($"{argument}: '{file}' does not exist. Check the path; "
            + $"it is resolved against '{Environment.CurrentDirectory}'.");
        using var reader = new StreamReader(file);
        var (text, part) = (new StringBuilder(), new char[1 << 14]);
        for (int count; (count = reader.Read(part)) > 0;)
        {
            text.Append(part, 0, count);
            if (text.Length > MostOfFile) throw new InputException($"{argument}: "
                + $"'{file}' has more than {MostOfFile:N0} characters, which no such file needs. Check that it is the right one.");
        }
        return text.ToString();
    }

    /// <summary>Reads the next line; null at the end.</summary>
    /// <param name="reader">The text.</param>
    /// <param name="place">Names the line, for the message.</param>
    /// <exception cref="InputException">It is too long.</exception>
    public static string? ReadLine(StreamReader reader, Func<string> place)
    {
        if (reader.Peek() < 0) return null;
        var line = new StringBuilder();
        for (int next; (next = reader.Read()) is >= 0 and not '\n';)
        {
            line.Append((char)next);
            if (line.Length > MostOfLine) throw new InputException($"{place()}: has more than {MostOfLine:N0} characters, where a label has a few. "
                + "Check that it is the right file.");
        }
        return line.ToString();
    }
}
