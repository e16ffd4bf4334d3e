using System.IO.Compression;
using Google.Protobuf;
using LoadWithoutLibrary;
using Microsoft.ML;
using MLNetLinearize.Linearization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Tests.Rules;
using MLNetLinearize.Transforms;

namespace MLNetLinearize.Tests.Transforms;

/// <summary>A saved model, an exported graph and a cached one that are not as they were written are refused, or give the same numbers.</summary>
public sealed class IntegrityTests : IDisposable
{
    private const int Flips = 1000;

    private readonly MLContext ml = new(seed: 1);
    private readonly string folder = Directory.CreateTempSubdirectory("integrity-tests-").FullName;
    private readonly IDataView data;
    private readonly string file;
    private readonly List<string> expected;

    public IntegrityTests()
    {
        data = LabelledRows.View(ml);
        file = InFolder("model.zip");
        using var transformer = new LinearizingEstimator(new HandMadeGraph(3, new() { Targets = Targets.All }).Graph).Fit(data);
        ml.Model.Save(transformer, data.Schema, file);
        expected = [.. ViewText.Of(transformer.Transform(data), SaveTests.Columns)];
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_flipped_bit_in_the_graph_does_not_pass_its_hash()
    {
        var sound = Graph(file).Bytes[sizeof(int)..];
        var model = ModelProto.Parser.ParseFrom(sound);
        Assert.NotNull(SavedGraph.FactsOf(model, "the test"));
        var random = new Random(20);
        var (refused, harmless) = (0, 0);
        for (var i = 0; i < Flips; i++)
        {
            try
            {
                var flipped = OnnxFile.Parse(new MemoryStream(Flipped(sound, random)), "the test");
                Assert.NotNull(SavedGraph.FactsOf(flipped, "the test"));
                Assert.Equal(model, flipped);
                harmless++;
            }
            catch (InvalidModelException e)
            {
                Assert.Matches("damaged|is not an ONNX model|has no hash|in layout", e.Message);
                refused++;
            }
        }
        Assert.Equal(Flips, refused + harmless);
        Assert.True(refused > Flips * 9 / 10, $"only {refused} were refused");
    }

    [Fact]
    public void A_flipped_bit_is_refused_on_the_whole_way_or_harmless()
    {
        var random = new Random(21);
        var (name, sound) = Graph(file);
        var refused = 0;
        for (var i = 0; i < 50; i++)
        {
            var damaged = InFolder($"flip{i}.zip");
            // ML.NET's length in front of the graph stays; the zip's CRC is that of the flipped bytes.
            Rewrite(damaged, name, [.. sound[..sizeof(int)], .. Flipped(sound[sizeof(int)..], random)]);
            ITransformer loaded;
            DataViewSchema schema;
            try
            {
                loaded = ml.Model.Load(damaged, out schema);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // ML.NET's own, before this library is asked. Ours says it in its own words.
                Assert.Throws<InvalidModelException>(() => ml.Model.LoadLinearized(damaged, out _));
                refused++;
                continue;
            }
            try
            {
                using var restored = ml.Model.RestoreLinearization(loaded, schema) as IDisposable;
                SaveTests.Same(expected, [.. ViewText.Of(((ITransformer)restored!).Transform(data), SaveTests.Columns)]);
            }
            catch (InvalidModelException e)
            {
                Assert.Contains("'OnnxModel' of stage 1 of the model", e.Message, StringComparison.Ordinal);
                Assert.Contains(name, Assert.Throws<InvalidModelException>(() => ml.Model.LoadLinearized(damaged, out _)).Message, StringComparison.Ordinal);
                refused++;
            }
            (loaded as IDisposable)?.Dispose();
        }
        Assert.True(refused > 40, $"only {refused} were refused");
    }

    [Fact]
    public void A_flipped_bit_in_a_cached_graph_is_compiled_anew()
    {
        var cache = InFolder("cache");
        var net = new Net(17, 6);
        var model = net.Build(net.Op("Gemm", [net.Op("Relu", [net.Input("x", "N", 5)]), net.Weights(5, 3), net.Weights(3)]));
        var options = new LinearizeOptions { CacheDirectory = cache, Targets = Targets.All };
        var graph = Compiler.Compile(model, options);
        var entry = Assert.Single(Directory.GetFiles(cache));
        var sound = File.ReadAllBytes(entry);
        var random = new Random(22);
        var compiled = 0;
        for (var i = 0; i < Flips; i++)
        {
            File.WriteAllBytes(entry, Flipped(sound, random));
            var again = CompilationCache.GetOrAdd(cache, model, options, () =>
            {
                compiled++;
                return graph;
            });
            Assert.Equal(graph.Model, again.Model);
            Assert.Equal((3, 3), (again.TargetCount, again.OutputCount));
        }
        Assert.True(compiled > Flips * 9 / 10, $"only {compiled} were compiled anew");
    }

    [Fact]
    public void Every_entry_of_a_model_is_held_to_its_checksum()
    {
        var sound = File.ReadAllBytes(file);
        using (var whole = ml.Model.LoadLinearized(file, out var schema) as IDisposable)
        {
            Assert.Equal(data.Schema.Select(c => c.Name), schema.Select(c => c.Name));
            SaveTests.Same(expected, [.. ViewText.Of(Assert.IsType<LinearizingTransformer>(whole).Transform(data), SaveTests.Columns)]);
        }
        List<(string Name, uint Crc)> entries;
        using (var zip = ZipFile.OpenRead(file)) entries = [.. zip.Entries.Select(e => (e.FullName, e.Crc32))];
        Assert.True(entries.Count > 3);
        foreach (var (name, crc) in entries)
        {
            var damaged = sound.ToArray();
            var pattern = BitConverter.GetBytes(crc);
            for (var at = damaged.AsSpan().IndexOf(pattern); at >= 0; at = damaged.AsSpan().IndexOf(pattern)) damaged[at] ^= 1;
            File.WriteAllBytes(InFolder("damaged.zip"), damaged);
            var error = Assert.Throws<InvalidModelException>(() => ml.Model.LoadLinearized(InFolder("damaged.zip"), out _));
            Assert.Contains($"'{name}'", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_flipped_bit_anywhere_in_the_file_is_refused_or_harmless()
    {
        var sound = File.ReadAllBytes(file);
        var random = new Random(23);
        var refused = 0;
        for (var i = 0; i < 300; i++)
        {
            File.WriteAllBytes(InFolder("flipped.zip"), Flipped(sound, random));
            try
            {
                using var loaded = ml.Model.LoadLinearized(InFolder("flipped.zip"), out _) as IDisposable;
                SaveTests.Same(expected, [.. ViewText.Of(((ITransformer)loaded!).Transform(data), SaveTests.Columns)]);
            }
            catch (InvalidModelException e)
            {
                Assert.Contains("flipped.zip", e.Message, StringComparison.Ordinal);
                refused++;
            }
        }
        Assert.True(refused > 200, $"only {refused} were refused");
    }

    [Fact]
    public void What_is_no_model_is_told()
    {
        string Refused<T>(string name) where T : Exception => Assert.Throws<T>(() => ml.Model.LoadLinearized(InFolder(name), out _)).Message;
        Assert.Contains("gone.zip", Refused<FileNotFoundException>("gone.zip"), StringComparison.Ordinal);
        File.WriteAllText(InFolder("text.zip"), "not a zip");
        Assert.Contains("no file that mlContext.Model.Save wrote", Refused<InvalidModelException>("text.zip"), StringComparison.Ordinal);
        File.WriteAllBytes(InFolder("short.zip"), File.ReadAllBytes(file)[..1000]);
        Assert.Contains("short.zip", Refused<InvalidModelException>("short.zip"), StringComparison.Ordinal);
        ml.Model.Save(ml.Transforms.CopyColumns("y", "x").Fit(data), data.Schema, InFolder("other.zip"));
        Assert.Contains("no stage that MLNetLinearize saved", Refused<ArgumentException>("other.zip"), StringComparison.Ordinal);
        using var transformer = new LinearizingEstimator(new HandMadeGraph(3).Graph).Fit(data);
        ml.Model.Save(transformer, null, InFolder("unbound.zip"));
        Assert.Contains("holds no schema of its input", Refused<InvalidModelException>("unbound.zip"), StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => ml.Model.LoadLinearized(file, out _, threads: 0));
    }

    [Fact]
    public void A_model_without_its_hash_is_refused()
    {
        var (name, bytes) = Graph(file);
        var model = ModelProto.Parser.ParseFrom(bytes[sizeof(int)..]);
        model.MetadataProps.Remove(model.MetadataProps.Single(p => p.Key == "mlnetlinearize.sha256"));
        var graph = model.ToByteArray();
        Rewrite(InFolder("unsealed.zip"), name, [.. BitConverter.GetBytes(graph.Length), .. graph]);
        var error = Assert.Throws<InvalidModelException>(() => ml.Model.RestoreLinearization(ml.Model.Load(InFolder("unsealed.zip"), out var schema), schema));
        Assert.Contains("has no hash", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_exported_graph_carries_the_hash_of_its_bytes()
    {
        var net = new Net(17, 6);
        var graph = LinearizationGraph.Compile(CaseRun.Stream(net.Build(net.Op("Gemm", [net.Input("x", "N", 5), net.Weights(5, 3)]))));
        graph.Save(InFolder("graph.onnx"));
        var model = OnnxFile.Read(InFolder("graph.onnx"));
        Assert.Null(SavedGraph.FactsOf(model.Clone(), "the test"));
        var hash = model.MetadataProps.Single(p => p.Key == "mlnetlinearize.sha256");
        var without = model.Clone();
        without.MetadataProps.Remove(hash);
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(without.ToByteArray())), hash.Value);
        Assert.DoesNotContain(graph.Model.MetadataProps, p => p.Key == hash.Key);
        model.Graph.DocString = "changed";
        Assert.Contains("damaged", Assert.Throws<InvalidModelException>(() => SavedGraph.FactsOf(model, "the test")).Message, StringComparison.Ordinal);
    }

    private static byte[] Flipped(byte[] sound, Random random)
    {
        var flipped = sound.ToArray();
        var bit = random.NextInt64(8L * flipped.Length);
        flipped[bit / 8] ^= (byte)(1 << (int)(bit % 8));
        return flipped;
    }

    private static (string Name, byte[] Bytes) Graph(string path)
    {
        using var zip = ZipFile.OpenRead(path);
        var entry = zip.Entries.Single(e => e.FullName.EndsWith("OnnxModel", StringComparison.Ordinal));
        using var stream = entry.Open();
        var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return (entry.FullName, bytes.ToArray());
    }

    private void Rewrite(string path, string name, byte[] bytes)
    {
        File.Copy(file, path);
        using var zip = ZipFile.Open(path, ZipArchiveMode.Update);
        zip.GetEntry(name)!.Delete();
        using var stream = zip.CreateEntry(name).Open();
        stream.Write(bytes);
    }

    private string InFolder(string name) => Path.Combine(folder, name);
}
