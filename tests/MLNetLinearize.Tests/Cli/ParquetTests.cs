using System.Text.Json;
using Parquet;
using Parquet.Data;
using Parquet.Schema;

namespace MLNetLinearize.Tests.Cli;

public class ParquetTests
{
    [Fact]
    public async Task Flat_columns_and_lists_give_what_the_same_table_gives()
    {
        using var folder = new TemporaryFolder();
        var lines = File.ReadAllLines(Samples.Digits).Take(301).ToArray();
        var head = lines[0].Split(',');
        var label = Array.IndexOf(head, "label");
        var rows = lines.Skip(1).Select(l => l.Split(',')).ToArray();
        var flat = new ParquetSchema(head.Select((h, i) => (Field)(i == label ? new DataField<string>(h) : new DataField<double>(h))));
        await Write(folder.File("flat.parquet"), flat, rows.Chunk(128), async (group, part) =>
        {
            for (var c = 0; c < head.Length; c++)
            {
                if (c == label) await group.WriteAsync(flat.DataFields[c], part.Select(r => r[c]).ToArray());
                else await group.WriteAsync<double>(flat.DataFields[c], part.Select(r => double.Parse(r[c], System.Globalization.CultureInfo.InvariantCulture)).ToArray());
            }
        });
        var nested = new ParquetSchema(new DataField<int>("label"), new ListField("pixels", new DataField("element", typeof(short), false)));
        await Write(folder.File("list.parquet"), nested, rows.Chunk(128), async (group, part) =>
        {
            await group.WriteAsync<int>(nested.DataFields[0], part.Select(r => int.Parse(r[label], System.Globalization.CultureInfo.InvariantCulture)).ToArray());
            await WriteLists(group, nested.DataFields[1], [.. part.Select(r => r.Where((_, c) => c != label).Select(v => short.Parse(v, System.Globalization.CultureInfo.InvariantCulture)).ToArray())]);
        });
        foreach (var file in new[] { Samples.Digits, folder.File("flat.parquet"), folder.File("list.parquet") })
        {
            var run = CliRun.Of("explain", Samples.Model("digits-cnn.onnx"), file, "--label-column", "label", "--scale", "1/16", "--rows", "300", "--quiet", "--out", folder.File(Path.GetFileName(file) + ".csv"));
            Assert.Equal((0, ""), (run.Code, run.Error));
        }
        var expected = File.ReadAllLines(folder.File("digits.csv.csv"));
        Assert.Equal(expected, File.ReadAllLines(folder.File("flat.parquet.csv")));
        // A list has no names for its elements.
        Assert.Equal(expected.Skip(1), File.ReadAllLines(folder.File("list.parquet.csv")).Skip(1));
        var (piped, data) = CliRun.Piped(File.ReadAllBytes(folder.File("flat.parquet")), "explain", Samples.Model("digits-cnn.onnx"), "-", "--label-column", "label", "--scale", "1/16", "--rows", "300", "--quiet", "--out", "-");
        Assert.Equal(0, piped.Code);
        Assert.Equal(File.ReadAllBytes(folder.File("flat.parquet.csv")), data);
    }

    [Fact]
    public async Task Bad_values_are_told_with_row_and_column()
    {
        using var folder = new TemporaryFolder();
        var missing = new ParquetSchema(new DataField<float>("a"), new DataField<float?>("b"), new DataField<float>("c"));
        await Write(folder.File("missing.parquet"), missing, [new float?[] { 2, 5 }, new float?[] { null }], async (group, part) =>
        {
            await group.WriteAsync<float>(missing.DataFields[0], new float[part.Length]);
            await group.WriteAsync<float>(missing.DataFields[1], part.AsMemory());
            await group.WriteAsync<float>(missing.DataFields[2], new float[part.Length]);
        });
        Refused(folder, "missing.parquet', row 2 (counted from 0), column 'b': expected a number, but there is none;", "missing.parquet");
        Refused(folder, "has 2 values a row for the network's input 'x', which takes 3 ([3]). Columns: a, b.", "missing.parquet", "--ignore-column", "c");
        Refused(folder, "--label-column 'd': '", "missing.parquet", "--label-column", "d");

        var infinite = new ParquetSchema(new DataField<double>("a"), new DataField<double>("b"), new DataField<double>("c"), new DataField<string>("name"));
        await Write(folder.File("infinite.parquet"), infinite, [new double[] { 1, double.NaN }], async (group, part) =>
        {
            for (var c = 0; c < 3; c++) await group.WriteAsync<double>(infinite.DataFields[c], part);
            await group.WriteAsync(infinite.DataFields[3], new[] { "x", "y" });
        });
        Refused(folder, "column 'name': holds", "infinite.parquet");
        Refused(folder, "row 1 (counted from 0), column 'a': expected a number, but there is none; --missing says what becomes of such values.", "infinite.parquet", "--ignore-column", "name");

        var ragged = new ParquetSchema(new ListField("v", new DataField("element", typeof(float), false)));
        await Write(folder.File("ragged.parquet"), ragged, [new float[][] { [1, 2, 3], [1, 2] }], (group, part) => WriteLists(group, ragged.DataFields[0], part));
        Refused(folder, "row 1 (counted from 0), column 'v': its list has 2 values, and that of row 0 has 3.", "ragged.parquet");
        var whole = File.ReadAllBytes(folder.File("ragged.parquet"));
        folder.Write("cut.parquet", whole[..(whole.Length / 2)]);
        Refused(folder, "cut.parquet' is no sound Parquet file: it does not end with PAR1, as one that is complete does.", "cut.parquet");
    }

    [Fact]
    public async Task Columns_of_one_target_are_written_flat_and_as_lists()
    {
        using var folder = new TemporaryFolder();
        Explain(folder, "--columns", "label,predicted,target,score,bias,attribution", "--label-column", "truth", "--out", folder.File("out.parquet"));
        var written = await Read(folder.File("out.parquet"));
        Assert.Equal(["Row Int64 0/0", "Label Int64 0/1", "Predicted Int64 0/1", "ExplainedTarget Int64 0/0", "ExplainedScore Single 0/0", "Bias Single 0/0", "Attribution/list/element Single 1/2"], written.Fields);
        Assert.Equal(["0 1", "0 1", "1 0", "1 0", "6.5 4", "-2 1", "-1 8 1.5 0 3 0"], written.Values);
        Assert.Equal("0 1 1 0 1 1", written.Repetitions[^1]);
        Assert.Equal(["a", "b", "c"], JsonSerializer.Deserialize<string[]>(written.Metadata["features"])!);
        Assert.Equal("[3]", written.Metadata["feature_shape"]);
    }

    [Fact]
    public async Task Columns_of_several_targets_are_lists_of_lists_with_class_names()
    {
        using var folder = new TemporaryFolder();
        Explain(folder, "--columns", "predicted,target,bias,attribution", "--ignore-column", "truth", "--targets", "all", "--class-names", folder.Write("names.txt", "no\nyes\n"), "--out", folder.File("out.parquet"));
        var written = await Read(folder.File("out.parquet"));
        Assert.Equal(["Row Int64 0/0", "Predicted String 0/1", "ExplainedTarget/list/element String 1/2", "Bias/list/element Single 1/2", "Attribution/list/element/list/element Single 2/4"], written.Fields.Select(f => f.Replace("ReadOnlyMemory`1", "String", StringComparison.Ordinal)));
        Assert.Equal(["0 1", "yes no", "no yes no yes", "1 -2 1 -2", "2 -6 0 -1 8 1.5 0 3 0 -0 -4 2"], written.Values);
        Assert.Equal("0 2 2 1 2 2 0 2 2 1 2 2", written.Repetitions[^1]);
        Assert.Equal(["no", "yes"], JsonSerializer.Deserialize<string[]>(written.Metadata["targets"])!);
    }

    [Fact]
    public async Task Digits_come_back_from_parquet_as_they_stand_in_csv()
    {
        using var folder = new TemporaryFolder();
        foreach (var file in new[] { "out.csv", "out.parquet" })
            Assert.Equal(0, CliRun.Of("explain", Samples.Model("digits-cnn.onnx"), Samples.Digits, "--label-column", "label", "--scale", "1/16", "--rows", "200", "--quiet", "--out", folder.File(file)).Code);
        var table = CsvTable.Read(folder.File("out.csv"));
        var written = await Read(folder.File("out.parquet"));
        Assert.Equal(string.Join(' ', table.Rows.SelectMany(r => table.Headers.Where(h => h.StartsWith("Attribution.", StringComparison.Ordinal)).Select(h => r[h]))), written.Values[^1]);
        Assert.Equal(string.Join(' ', table.Rows.Select(r => r["ExplainedScore"])), written.Values[4]);
    }

    private static void Explain(TemporaryFolder folder, params string[] options)
    {
        var run = CliRun.Of(["explain", TinyModels.WriteLinear(folder), folder.Write("rows.csv", "a,b,c,truth\n1,2,3,0\n0,-1,4,1\n"), "--quiet", .. options]);
        Assert.Equal((0, ""), (run.Code, run.Error));
    }

    [Fact]
    public async Task Texts_feed_inputs_of_texts()
    {
        using var folder = new TemporaryFolder();
        var schema = new ParquetSchema(new DataField<float>("x"), new DataField<string>("City"));
        await Write(folder.File("city.parquet"), schema, [new float[] { 1 }, new float[] { 2 }], async (group, part) =>
        {
            await group.WriteAsync<float>(schema.DataFields[0], part);
            await group.WriteAsync(schema.DataFields[1], new[] { part[0] == 1 ? "Rome" : "Oslo" });
        });
        var run = CliRun.Of("explain", TinyModels.WriteCity(folder), folder.File("city.parquet"), "--columns", "score,bias,attribution", "--quiet", "--out", folder.File("out.csv"));
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Equal(["Row,ExplainedScore,Bias,Attribution.x", "0,4,1,3", "1,13,7,6"], File.ReadAllLines(folder.File("out.csv")));
    }

    private static void Refused(TemporaryFolder folder, string message, string file, params string[] options)
    {
        var run = CliRun.Of(["explain", TinyModels.WriteLinear(folder), folder.File(file), "--quiet", .. options]);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
        Assert.Equal((1, ""), (run.Code, run.Out));
    }

    private static async Task Write<T>(string file, ParquetSchema schema, IEnumerable<T[]> parts, Func<ParquetRowGroupWriter, T[], Task> write)
    {
        using var stream = File.Create(file);
        await using var writer = await ParquetWriter.CreateAsync(schema, stream);
        foreach (var part in parts)
        {
            using var group = writer.CreateRowGroup();
            await write(group, part);
        }
    }

    private static Task WriteLists<T>(ParquetRowGroupWriter group, DataField field, T[][] lists) where T : struct
    {
        var values = lists.SelectMany(l => l).ToArray();
        return group.WriteAllPartsAsync<T>(field, values, Enumerable.Repeat(field.MaxDefinitionLevel, values.Length).ToArray(), lists.SelectMany(l => l.Select((_, i) => i == 0 ? 0 : 1)).ToArray(), CancellationToken.None);
    }

    private sealed record Written(List<string> Fields, List<string> Values, List<string> Repetitions, IReadOnlyDictionary<string, string> Metadata);

    /// <summary>All row groups of a file, each column as its type with its repetition and definition levels, and its values with a blank between.</summary>
    private static async Task<Written> Read(string file)
    {
        using var stream = File.OpenRead(file);
        await using var reader = await ParquetReader.CreateAsync(stream);
        var (fields, values, repetitions) = (new List<string>(), new List<string>(), new List<string>());
        foreach (var field in reader.Schema.DataFields)
        {
            fields.Add($"{field.Path} {field.ClrType.Name} {field.MaxRepetitionLevel}/{field.MaxDefinitionLevel}");
            var (texts, levels) = (new List<string>(), new List<int>());
            for (var g = 0; g < reader.RowGroupCount; g++)
            {
                using var group = reader.OpenRowGroupReader(g);
                using var data = await group.ReadRawColumnDataBaseAsync(field, CancellationToken.None);
                texts.AddRange(data switch
                {
                    RawColumnData<long> d => d.Values.ToArray().Select(v => FormattableString.Invariant($"{v}")),
                    RawColumnData<float> d => d.Values.ToArray().Select(v => FormattableString.Invariant($"{v}")),
                    _ => ((RawColumnData<ReadOnlyMemory<char>>)data).Values.ToArray().Select(v => v.ToString()),
                });
                if (field.MaxRepetitionLevel > 0) levels.AddRange(data.RepetitionLevels.ToArray());
            }
            values.Add(string.Join(' ', texts));
            repetitions.Add(string.Join(' ', levels));
        }
        return new(fields, values, repetitions, reader.CustomMetadata);
    }
}
