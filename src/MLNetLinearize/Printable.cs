using System.Globalization;
using System.Text;

namespace MLNetLinearize;

/// <summary>
/// Text for messages. Names come from whoever made the model: control characters move a terminal's cursor, colour or clear it
/// and forge lines of a log, and marks of writing direction show a name as another (CWE-150, CWE-117). They are shown escaped.
/// </summary>
internal static class Printable
{
    /// <summary>The text with <c>\u001b</c> in the place of the character U+001B, and so on.</summary>
    /// <param name="text">The text.</param>
    /// <param name="keepsLines">Whether it is a text of several lines, and not a name or one message.</param>
    public static string Text(string text, bool keepsLines = false)
    {
        if (keepsLines) text = text.ReplaceLineEndings("\n");
        var first = 0;
        while (first < text.Length && !IsHidden(text[first], keepsLines)) first++;
        if (first == text.Length) return text;
        var shown = new StringBuilder(text, 0, first, text.Length + 16);
        foreach (var c in text.AsSpan(first))
        {
            if (IsHidden(c, keepsLines)) shown.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            else shown.Append(c);
        }
        return shown.ToString();
    }

    // Embeddings, overrides and isolates of direction; separators of lines and paragraphs.
    private static bool IsHidden(char c, bool keepsLines) =>
        char.IsControl(c) ? !(keepsLines && c == '\n') : c is (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069') or '\u2028' or '\u2029';
}
