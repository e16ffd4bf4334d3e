using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace MLNetLinearize.Reporting;

/// <summary>
/// The report's HTML, CSS and JavaScript, put together into one page that loads nothing. A content security policy names
/// the hashes of its own script and style, so that nothing else runs in it, whatever the data holds, and nothing is fetched.
/// </summary>
internal static class ReportPage
{
    private const string Data = "{{data}}";

    // In the order in which each uses the ones before it.
    private static readonly string[] Styles = ["page.css", "parts.css", "evaluation.css", "print.css"];
    private static readonly string[] Scripts = ["text.js", "data.js", "charts.js", "images.js", "overview.js", "evaluation.js", "table.js", "row.js", "main.js"];

    /// <summary>The page before and behind the place of the data.</summary>
    public static (string Head, string Tail) Parts(string title)
    {
        var style = string.Concat(Styles.Select(Read));
        var script = $"\"use strict\";\n(() => {{\n{string.Concat(Scripts.Select(Read))}}})();\n";
        var policy = $"default-src 'none'; style-src '{Hash(style)}'; script-src '{Hash(script)}'; img-src data:; base-uri 'none'; form-action 'none'";
        var page = Read("report.html")
            .Replace("{{policy}}", policy, StringComparison.Ordinal)
            .Replace("{{style}}", style, StringComparison.Ordinal)
            .Replace("{{script}}", script, StringComparison.Ordinal);
        var at = page.IndexOf(Data, StringComparison.Ordinal);
        // Last, and in the head alone: a title is text of the user's, which may look like a placeholder.
        return (page[..at].Replace("{{title}}", WebUtility.HtmlEncode(title), StringComparison.Ordinal), page[(at + Data.Length)..]);
    }

    private static string Hash(string text) => $"sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)))}";

    private static string Read(string file)
    {
        using var stream = typeof(ReportPage).Assembly.GetManifestResourceStream($"MLNetLinearize.Reporting.Html.{file}")
            ?? throw new InvalidOperationException($"The library was built without its resource '{file}'.");
        using var reader = new StreamReader(stream);
        // Browsers read line ends so, and the policy's hashes are of what they read.
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }
}
