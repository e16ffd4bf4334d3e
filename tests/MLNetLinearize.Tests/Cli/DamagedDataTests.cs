using System.IO.Compression;
using System.Text;
using MLNetLinearize.Cli;
using MLNetLinearize.Cli.Data;
using Parquet;
using Parquet.Schema;
using SkiaSharp;

namespace MLNetLinearize.Tests.Cli;

/// <summary>
/// Sound files of each format with bytes changed, cut off, put in and taken out, by a fixed seed: whatever comes of it is either
/// data, or one message that names the file. Never a defect of the tool, a hang, or more memory than a file of that size is worth.
/// </summary>
public sealed class DamagedDataTests : IDisposable
{
    private const int Rounds = 400;
    private const long MostBytes = 1L << 30;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private static readonly ColumnChoice Plain = new(null, [], []);

    private readonly TemporaryFolder folder = new();
    private GraphInput? linear;

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("rows.csv", "a,b,c\n1,2,3\n\"4\",5.5,-6e-3\n,NaN,9\n")]
    [InlineData("rows.tsv", "a\tb\tc\n1,5\t2\t3\n4\t5\t6\n")]
    public void Tables(string name, string text) => Damage(name, Encoding.UTF8.GetBytes(text), ReadRows);

    [Theory]
    [InlineData("rows.csv.gz")]
    [InlineData("rows.idx.gz")]
    [InlineData("rows.npy.gz")]
    public void Packed_files(string name)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal))
            gzip.Write(name switch { "rows.csv.gz" => Encoding.UTF8.GetBytes("a,b,c\n" + string.Concat(Enumerable.Repeat("1,2,3\n4,5,6\n", 50))), "rows.idx.gz" => Idx(), _ => Npy() });
        Damage(name, packed.ToArray(), ReadRows);
    }

    [Fact]
    public void Arrays()
    {
        Damage("rows.idx", Idx(), ReadRows);
        Damage("rows.npy", Npy(), ReadRows);
        // A format that the tool writes and does not read.
        using var npz = new MemoryStream();
        using (var zip = new ZipArchive(npz, ZipArchiveMode.Create, leaveOpen: true))
        using (var entry = zip.CreateEntry("rows.npy").Open()) entry.Write(Npy());
        Damage("rows.npz", npz.ToArray(), file => Assert.Throws<InputException>(() => ReadRows(file)), isRefused: false);
    }

    [Theory]
    [InlineData(CompressionMethod.None)]
    [InlineData(CompressionMethod.Snappy)]
    [InlineData(CompressionMethod.Gzip)]
    [InlineData(CompressionMethod.Zstd)]
    public async Task Parquet_files(CompressionMethod compression) => Damage("rows.parquet", await Parquet(compression), ReadRows);

    [Theory]
    [InlineData(SKEncodedImageFormat.Png, "1.png")]
    [InlineData(SKEncodedImageFormat.Jpeg, "1.jpg")]
    public void Images(SKEncodedImageFormat format, string name)
    {
        var input = LinearizationGraph.Compile(TinyModels.WriteImage(folder)).Inputs[0];
        Damage(name, DamagedImages.Sound(9, 12, format), file => Read(Path.GetDirectoryName(file)!, input, new InputPreprocessing { Size = new(2, 2, null, ResizeMethod.Nearest) }));
    }

    [Theory]
    [InlineData("""{"do_rescale": true, "rescale_factor": 0.00392156862745098, "do_normalize": true, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225], "size": {"height": 2, "width": 2}, "crop_size": 2, "resample": 2}""")]
    [InlineData("""{"mean_": [1.5, 2, 3], "scale_": [0.5, 1, 2], "with_mean": true, "n_features_in_": 3, "feature_names_in_": ["a", "b", "c"]}""")]
    [InlineData("""{"scale_": [0.5, 1, 2], "min_": [0, 1e-3, -2], "feature_range": [0, 1], "clip": false}""")]
    public void Preprocessing_files(string json)
    {
        var input = LinearizationGraph.Compile(TinyModels.WriteLinear(folder)).Inputs[0];
        Damage("preprocessing.json", Encoding.UTF8.GetBytes(json), file => PreprocessingFile.Read(file).For(input, ["a", "b", "c"])([1, 2, 3]), isArgument: true);
    }

    [Fact]
    public void Labels_and_names_of_classes()
    {
        var rows = folder.Write("rows.csv", "a,b,c\n1,2,3\n4,5,6\n7,8,9\n");
        var input = LinearizationGraph.Compile(TinyModels.WriteLinear(folder)).Inputs[0];
        foreach (var labels in new[] { Encoding.UTF8.GetBytes("dog\ncat\ndog\n"), [0, 0, 8, 1, 0, 0, 0, 3, 1, 0, 1] })
            Damage("labels", labels, file =>
            {
                using var labelled = new LabelFile(DataFile.Open(rows, input, Plain, new(), () => Stream.Null), file);
                ReadAll(labelled, input);
            });
        Damage("names.txt", Encoding.UTF8.GetBytes("dog\ncat\nbird\n"), file => Assert.NotNull(ClassNames.Read(file).NamesOrNull), isArgument: true);
    }

    private void ReadRows(string file) => Read(file, linear ??= LinearizationGraph.Compile(TinyModels.WriteLinear(folder)).Inputs[0], new());

    private static void Read(string path, GraphInput input, InputPreprocessing preprocessing)
    {
        using var rows = DataFile.Open(path, input, Plain, preprocessing, () => Stream.Null);
        ReadAll(rows, input);
    }

    private static void ReadAll(IRows rows, GraphInput input)
    {
        var row = new double[input.RowLength];
        for (var n = 0; rows.Read(row, out _); n++) Assert.True(n < 100_000, "So few bytes hold no so many rows.");
    }

    /// <summary>Damages a file in many ways and reads each.</summary>
    private void Damage(string name, byte[] sound, Action<string> read, bool isArgument = false, bool isRefused = true)
    {
        read(Written(name, sound));
        var (random, refused) = (new Random(1), 0);
        for (var round = 0; round < Rounds; round++)
        {
            var damaged = Damaged(sound, random);
            var file = Written(name, damaged);
            Exception? failure = null;
            var bytes = 0L;
            var reading = new Thread(() =>
            {
                var before = GC.GetAllocatedBytesForCurrentThread();
                try
                {
                    read(file);
                }
                catch (Exception e)
                {
                    failure = e;
                }
                bytes = GC.GetAllocatedBytesForCurrentThread() - before;
            });
            reading.Start();
            var about = $"round {round} of {name}: {Convert.ToBase64String(damaged)}";
            Assert.True(reading.Join(Patience), $"does not end, {about}");
            Assert.True(bytes < MostBytes, $"{bytes:N0} bytes, {about}");
            if (failure is null) continue;
            refused++;
            Assert.True(failure is InputException && ExitCodes.Of(failure) == ExitCodes.BadInput, $"{failure}\n{about}");
            Assert.DoesNotContain('\n', failure.Message);
            Assert.InRange(failure.Message.Length, 20, 1500);
            // Numbers that do not go with the network are the argument's fault, wherever they stand.
            Assert.Contains(isArgument ? "--" : name, failure.Message, StringComparison.Ordinal);
        }
        Assert.True(!isRefused || refused > Rounds / 20, $"Of {Rounds} damaged files {refused} were refused.");
    }

    private string Written(string name, byte[] bytes)
    {
        Directory.CreateDirectory(folder.File("damaged"));
        return folder.Write(Path.Combine("damaged", name), bytes);
    }

    private static byte[] Damaged(byte[] sound, Random random)
    {
        var bytes = sound.ToList();
        for (var times = random.Next(1, 4); times > 0 && bytes.Count > 0; times--)
        {
            var at = random.Next(bytes.Count);
            var length = Math.Min(random.Next(1, 9), bytes.Count - at);
            switch (random.Next(6))
            {
                case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: bytes[at] = (byte)random.Next(256); break;
                case 2: bytes.RemoveRange(at, bytes.Count - at); break;
                case 3: bytes.RemoveRange(at, length); break;
                case 4: bytes.InsertRange(at, bytes.GetRange(at, length)); break;
                default: for (var i = at; i < at + length; i++) bytes[i] = (byte)(random.Next(2) == 0 ? 0xFF : 0x7F); break;
            }
        }
        return [.. bytes];
    }

    private static byte[] Idx() => [0, 0, 8, 2, 0, 0, 0, 4, 0, 0, 0, 3, .. Enumerable.Range(0, 12).Select(i => (byte)i)];

    private static byte[] Npy()
    {
        var header = "{'descr': '<f4', 'fortran_order': False, 'shape': (4, 3), }".PadRight(117) + "\n";
        return [0x93, .. "NUMPY"u8, 1, 0, (byte)header.Length, 0, .. Encoding.ASCII.GetBytes(header), .. Enumerable.Range(0, 12).SelectMany(i => BitConverter.GetBytes((float)i))];
    }

    private static async Task<byte[]> Parquet(CompressionMethod compression)
    {
        var schema = new ParquetSchema(new DataField<float>("a"), new DataField<double?>("b"), new ListField("c", new DataField("element", typeof(int), false)));
        using var stream = new MemoryStream();
        await using (var writer = await ParquetWriter.CreateAsync(schema, stream, new ParquetOptions { CompressionMethod = compression }))
        {
            for (var part = 0; part < 2; part++)
            {
                using var group = writer.CreateRowGroup();
                await group.WriteAsync<float>(schema.DataFields[0], new float[] { 1, 2, 3 });
                await group.WriteAsync<double>(schema.DataFields[1], new double?[] { 1, 5, 6 });
                await group.WriteAllPartsAsync<int>(schema.DataFields[2], new[] { 7, 8, 9 }, Enumerable.Repeat(schema.DataFields[2].MaxDefinitionLevel, 3).ToArray(), new[] { 0, 0, 0 }, CancellationToken.None);
            }
        }
        return stream.ToArray();
    }
}
