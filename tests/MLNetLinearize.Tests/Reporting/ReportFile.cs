using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace MLNetLinearize.Tests.Reporting;

/// <summary>One explained output of a stored row.</summary>
internal sealed record StoredTarget(int Output, float Score, float Bias, float Sum, float Error)
{
    /// <summary>Contributions of the stored features, or of the pixels.</summary>
    public float[] Contributions { get; set; } = [];

    /// <summary>What one step of a pixel's contribution stands for.</summary>
    public float Step { get; set; }
}

/// <summary>A stored row.</summary>
internal sealed record StoredRow(IReadOnlyList<StoredTarget> Targets, int[] Indices, float[] Values, byte[] Pixels);

/// <summary>A report read back from its HTML, by the description of its format alone.</summary>
internal sealed partial class ReportFile
{
    private readonly string html;

    public ReportFile(string html)
    {
        this.html = html;
        Header = JsonDocument.Parse(Scripts("header").Single()).RootElement;
        Statistics = JsonDocument.Parse(Scripts("statistics").Single()).RootElement;
        Evaluation = Scripts("evaluation").Select(text => (JsonElement?)JsonDocument.Parse(text).RootElement).SingleOrDefault();
        var image = Header.TryGetProperty("image", out var sizes) ? sizes.EnumerateArray().Select(s => s.GetInt32()).ToArray() : null;
        Entries = [.. Scripts("rows").SelectMany(Rows)];
        var rows = new Queue<StoredRow>(Scripts("details").SelectMany(text => Details(text, image)));
        Stored = Entries.Where(e => e["stored"] == 1).ToDictionary(e => (long)e["row"], _ => rows.Dequeue());
        Assert.Empty(rows);
    }

    public JsonElement Header { get; }

    public JsonElement Statistics { get; }

    /// <summary>How faithful the explanations are; null where the report does not say.</summary>
    public JsonElement? Evaluation { get; }

    /// <summary>The table's rows, by column.</summary>
    public IReadOnlyList<IReadOnlyDictionary<string, double>> Entries { get; }

    /// <summary>The stored explanations by row number.</summary>
    public IReadOnlyDictionary<long, StoredRow> Stored { get; }

    public static ReportFile Read(string path) => new(File.ReadAllText(path));

    public static double Number(JsonElement value) => value.ValueKind == JsonValueKind.String ? double.Parse(value.GetString()!, System.Globalization.CultureInfo.InvariantCulture) : value.GetDouble();

    private IEnumerable<string> Scripts(string name) => Script().Matches(html).Where(m => m.Groups["name"].Value == name).Select(m => m.Groups["text"].Value);

    private static IEnumerable<IReadOnlyDictionary<string, double>> Rows(string text)
    {
        var columns = JsonDocument.Parse(text).RootElement.EnumerateObject().ToDictionary(c => c.Name, c => c.Value.EnumerateArray().Select(Number).ToArray());
        return Enumerable.Range(0, columns["row"].Length).Select(i => columns.ToDictionary(c => c.Key, c => c.Value[i]));
    }

    private static List<StoredRow> Details(string text, int[]? image)
    {
        using var unpacked = new MemoryStream();
        using (var zlib = new ZLibStream(new MemoryStream(Convert.FromBase64String(text)), CompressionMode.Decompress)) zlib.CopyTo(unpacked);
        unpacked.Position = 0;
        using var reader = new BinaryReader(unpacked, Encoding.UTF8);
        var starts = new uint[reader.ReadUInt32()];
        for (var i = 0; i < starts.Length; i++) starts[i] = reader.ReadUInt32();
        var origin = unpacked.Position;
        var rows = new List<StoredRow>();
        foreach (var start in starts)
        {
            Assert.Equal(origin + start, unpacked.Position);
            rows.Add(Row(reader, image));
        }
        Assert.Equal(unpacked.Length, unpacked.Position);
        return rows;
    }

    private static StoredRow Row(BinaryReader reader, int[]? image)
    {
        var targets = Times(reader.ReadByte(), () => new StoredTarget(reader.ReadInt32(), reader.ReadSingle(), reader.ReadSingle(), reader.ReadSingle(), reader.ReadSingle()));
        if (image is null)
        {
            var count = reader.ReadUInt16();
            var indices = Times(count, reader.ReadInt32);
            var values = Times(count, reader.ReadSingle);
            foreach (var target in targets) target.Contributions = Times(count, reader.ReadSingle);
            return new(targets, indices, values, []);
        }
        var range = Times(2, reader.ReadSingle);
        var pixels = reader.ReadBytes(image[0] * image[1] * image[2]);
        foreach (var target in targets)
        {
            target.Step = reader.ReadSingle();
            target.Contributions = Times(image[0] * image[1], () => reader.ReadSByte() is var steps and not sbyte.MinValue ? steps * target.Step : float.NaN);
        }
        return new(targets, [], range, pixels);
    }

    private static T[] Times<T>(int count, Func<T> read)
    {
        var result = new T[count];
        for (var i = 0; i < count; i++) result[i] = read();
        return result;
    }

    [GeneratedRegex("""<script type="[a-z/]+" class="(?<name>[a-z]+)">(?<text>[^<]*)</script>""")]
    private static partial Regex Script();
}
