using System.Globalization;

namespace MLNetLinearize.Bulk;

/// <summary>Lines for the screen and, at the end, for the file.</summary>
internal sealed class Report(FileInfo? file) : IDisposable
{
    private readonly List<string> lines = [];

    public void Line(FormattableString text)
    {
        lines.Add(text.ToString(CultureInfo.InvariantCulture));
        Console.WriteLine(lines[^1]);
    }

    public void Dispose()
    {
        if (file is not null) File.WriteAllLines(file.FullName, lines);
    }
}
