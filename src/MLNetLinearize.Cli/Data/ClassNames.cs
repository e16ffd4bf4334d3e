using System.Globalization;

namespace MLNetLinearize.Cli.Data;

/// <summary>Names of the network's outputs, and which output a label means.</summary>
internal sealed class ClassNames(IReadOnlyList<string> names, string? file)
{
    public static ClassNames None { get; } = new([], null);

    public IReadOnlyList<string>? NamesOrNull => names.Count == 0 ? null : names;

    /// <summary>Reads one name a line, the first for output 0. Empty lines at the end do not count.</summary>
    public static ClassNames Read(string file)
    {
        string[] names = [.. TextFile.Read("--class-names", file).TrimEnd().Split('\n').Select(l => l.Trim())];
        if (names.Contains("")) throw new InputException($"--class-names: '{file}', line {Array.IndexOf(names, "") + 1}, is empty. Expected one class name a line, that of output 0 first.");
        var seen = new HashSet<string>();
        if (Array.Find(names, n => !seen.Add(n)) is { } twice) throw new InputException($"--class-names: '{file}' has '{Names.Short(twice)}' {names.Count(n => n == twice)} times. Names must differ.");
        return new(names, file);
    }

    /// <summary>Refuses names that do not match the network.</summary>
    public void Check(int outputs)
    {
        if (names.Count > 0 && names.Count != outputs)
            throw new InputException($"--class-names: '{file}' has {Output.Words.Number(names.Count, "name")}, but the network has {Output.Words.Number(outputs, "output")}. Expected one line for each.");
    }

    /// <summary>The name of an output; its index where no names are known.</summary>
    public string this[long output] => output >= 0 && output < names.Count ? names[(int)output] : output.ToString(CultureInfo.InvariantCulture);

    /// <summary>The output that a name or an index means, or null.</summary>
    public int? Find(string text)
    {
        for (var i = 0; i < names.Count; i++)
            if (names[i] == text) return i;
        // A label column may hold 3 as 3.0.
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number >= 0 && number <= int.MaxValue && number == Math.Floor(number) ? (int)number : null;
    }
}
