using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace MLNetLinearize.Cli.Output;

/// <summary>
/// One JSON object a line for each row, with the column names as its names. A column of several targets is an array of
/// what it holds for one; a number that is not finite is null, since JSON has none.
/// </summary>
internal sealed class JsonLines(OutputFile file, ExplanationColumns columns) : IColumnOutput
{
    private readonly ArrayBufferWriter<byte> buffer = new();
    private readonly Utf8JsonWriter writer = new(Stream.Null, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
    private long rows;

    public string Path => file.Path;

    public string Contents => $"{Words.Rows(rows)}, {Words.Number(columns.All.Count, "column")}";

    public void Add(ExplainedBlock block)
    {
        buffer.ResetWrittenCount();
        for (var i = 0; i < block.Count; i++, rows++)
        {
            writer.Reset(buffer);
            writer.WriteStartObject();
            foreach (var column in columns.All)
            {
                writer.WritePropertyName(column.Name);
                var count = columns.Count(column);
                if (count > 1) writer.WriteStartArray();
                for (var k = 0; k < count; k++) Write(column, block, i, k);
                if (count > 1) writer.WriteEndArray();
            }
            writer.WriteEndObject();
            writer.Flush();
            buffer.Write("\n"u8);
        }
        file.Write(stream => stream.Write(buffer.WrittenSpan));
    }

    public void Finish() { }

    public void Publish() => file.Complete();

    public void Dispose()
    {
        writer.Dispose();
        file.Dispose();
    }

    private void Write(Column column, ExplainedBlock block, int i, int k)
    {
        switch (column.Kind)
        {
            case ColumnKind.Value:
                Write(block.Values(column.Name, i, k)[0]);
                break;
            case ColumnKind.Vector:
                writer.WriteStartArray();
                foreach (var value in block.Values(column.Name, i, k)) Write(value);
                writer.WriteEndArray();
                break;
            default:
                if (column.Whole(block, i, k) is not { } whole) writer.WriteNullValue();
                else if (column.Kind == ColumnKind.Output && columns.HasClassNames) writer.WriteStringValue(columns.Text(whole));
                else writer.WriteNumberValue(whole);
                break;
        }
    }

    private void Write(float value)
    {
        if (float.IsFinite(value)) writer.WriteNumberValue(value);
        else writer.WriteNullValue();
    }
}
