using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json;

namespace MLNetLinearize.Reporting;

/// <summary>
/// The data section of a report: script elements that hold JSON or text and are never run. Rows go out in chunks: their
/// table entries as JSON, and their explanations (<see cref="ReportDetails"/>) compressed (zlib) in base64, so that the
/// page unpacks only those that are looked at.
/// </summary>
internal sealed class ReportData(Stream stream, ImageShape? image, long maxRows, long maxDetailBytes)
{
    private const int RowsPerChunk = 1000, BytesPerChunk = 1 << 18;

    // What is kept free for the rows that the network got wrong.
    private const double ShareForAll = 0.75;

    private readonly List<Entry> entries = [];
    private readonly List<byte[]> details = [];
    private readonly ReportDetails format = new(image);

    // Of explanations: what is written, compressed, and what is held back, not yet so.
    private long written, held;

    /// <summary>Rows in the table.</summary>
    public long Listed { get; private set; }

    /// <summary>Rows whose explanation is stored.</summary>
    public long Stored { get; private set; }

    /// <summary>A row of the table.</summary>
    private readonly record struct Entry(long Row, int Label, int Predicted, int RunnerUp, int Target, float Score, float Margin, float Bias, float Error, bool IsStored);

    public void Add(ReportRow row, IReadOnlyList<ReportTarget> targets)
    {
        if (Listed == maxRows) return;
        Listed++;
        var stored = written + held < (row.IsMistake ? maxDetailBytes : ShareForAll * maxDetailBytes);
        if (stored)
        {
            Stored++;
            details.Add(format.Write(row, targets));
            held += details[^1].Length;
        }
        var main = targets[0];
        var scores = row.Scores.Span;
        var margin = row is { Predicted: { } p, RunnerUp: { } r } ? scores[p] - scores[r] : float.NaN;
        entries.Add(new(row.Number, row.Label ?? -1, row.Predicted ?? -1, row.RunnerUp ?? -1, main.Output, main.Score, margin, main.Bias,
            (float)ErrorStatistics.ScaledError(main.Score, ErrorStatistics.Sum(main.Attribution.Span), main.Bias), stored));
        if (entries.Count == RowsPerChunk || held >= BytesPerChunk) Flush();
    }

    /// <summary>Writes the rows that are held back.</summary>
    public void Flush()
    {
        if (entries.Count == 0) return;
        Json("rows", WriteEntries);
        Text($"<script type=\"text/plain\" class=\"details\">{Compressed()}</script>\n");
        entries.Clear();
        details.Clear();
        held = 0;
    }

    /// <summary>Writes one script element with JSON. Its encoder leaves no <c>&lt;</c>, so nothing in it ends the element.</summary>
    public void Json(string name, Action<Utf8JsonWriter> write)
    {
        Text($"<script type=\"application/json\" class=\"{name}\">");
        using (var json = new Utf8JsonWriter(stream)) write(json);
        Text("</script>\n");
    }

    public void Text(string text) => stream.Write(Encoding.UTF8.GetBytes(text));

    /// <summary>A number; JSON knows none that is not finite, so those are text.</summary>
    public static void Number(Utf8JsonWriter json, float value)
    {
        if (float.IsFinite(value)) json.WriteNumberValue(value);
        else json.WriteStringValue(value.ToString(CultureInfo.InvariantCulture));
    }

    private void WriteEntries(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        Column("row", e => json.WriteNumberValue(e.Row));
        Column("label", e => json.WriteNumberValue(e.Label));
        Column("predicted", e => json.WriteNumberValue(e.Predicted));
        Column("runnerUp", e => json.WriteNumberValue(e.RunnerUp));
        Column("target", e => json.WriteNumberValue(e.Target));
        Column("score", e => Number(json, e.Score));
        Column("margin", e => Number(json, e.Margin));
        Column("bias", e => Number(json, e.Bias));
        Column("error", e => Number(json, e.Error));
        Column("stored", e => json.WriteNumberValue(e.IsStored ? 1 : 0));
        json.WriteEndObject();

        void Column(string name, Action<Entry> write)
        {
            json.WriteStartArray(name);
            foreach (var entry in entries) write(entry);
            json.WriteEndArray();
        }
    }

    /// <summary>UInt32 number of explanations, UInt32 start of each behind these, the explanations; compressed, as base64.</summary>
    private string Compressed()
    {
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        using (var writer = new BinaryWriter(zlib))
        {
            writer.Write((uint)details.Count);
            var start = 0u;
            foreach (var row in details)
            {
                writer.Write(start);
                start += (uint)row.Length;
            }
            foreach (var row in details) writer.Write(row);
        }
        var text = Convert.ToBase64String(packed.GetBuffer(), 0, (int)packed.Length);
        written += text.Length;
        return text;
    }
}
