using System.Text.Json.Nodes;
using LoadWithoutLibrary;
using Microsoft.ML;
using MLNetLinearize.Linearization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Preprocessing;
using MLNetLinearize.Runtime;
using MLNetLinearize.Tests.Rules;
using MLNetLinearize.Tests.Transforms;
using MLNetLinearize.Transforms;

namespace MLNetLinearize.Tests.Linearization;

/// <summary>Metadata that was changed, and sealed by a right hash again, is refused by what is wrong with it, or harmless.</summary>
public sealed class SavedMetadataTests
{
    private readonly MLContext ml = new(seed: 1);

    /// <summary>What each field is set to; null stands for JSON's null, and "gone" for a field that is left out.</summary>
    private static readonly string[] Hostile =
    [
        "gone", "null", "-1", "0", "1000000000", "2147483648", "9223372036854775807", "1e400", "1.5", "true", "false",
        "\"\"", "\"nonsense\"", "\"99\"", "\"column:\"", "\"top:1000000000\"", "\"classes:7,\"",
        "[]", "[null]", "{}", "[-1]", "[0]", "[2147483647,2147483647,2147483647]", "[\"a\",\"a\"]",
    ];

    public static TheoryData<string> Cases => ["all", "several inputs", "key label", "top features", "grouped", "compiled", "inner tensor"];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Every_field_of_a_saved_model_withstands_hostile_values(string name)
    {
        var data = LabelledRows.View(ml);
        var binding = new ColumnBinding(Graph(name), data.Schema);
        var saved = StockStage.Build(binding);
        var text = saved.MetadataProps.Single(p => p.Key == SavedFinish.MetadataKey).Value;
        var expected = Values(saved, data);
        var refused = 0;
        foreach (var (where, changed) in Changed(text))
        {
            var model = saved.Clone();
            model.MetadataProps.Single(p => p.Key == SavedFinish.MetadataKey).Value = changed;
            ModelSeal.Put(model);
            try
            {
                var values = Values(model, data);
                // What names and keeps columns is the user's to say, and told by no other part of the file.
                if (!where.StartsWith("$.topFeatures", StringComparison.Ordinal)) Assert.True(expected.SequenceEqual(values), $"{where}: other numbers");
            }
            catch (InvalidModelException e)
            {
                Assert.True(e.Message.Length < 2000, $"{where}: {e.Message}");
                refused++;
            }
            catch (ArgumentException e) when (where.StartsWith("$.classNames", StringComparison.Ordinal))
            {
                // A model may have no names; a label column that is read by them then asks for some.
                Assert.Contains("Targets.FromColumn", e.Message, StringComparison.Ordinal);
            }
            catch (Exception e) when (e is not Xunit.Sdk.XunitException)
            {
                Assert.Fail($"{where}: {e}");
            }
        }
        Assert.True(refused > 400, $"only {refused} were refused");
    }

    [Fact]
    public void Every_field_of_a_cached_graph_withstands_hostile_values()
    {
        var folder = Directory.CreateTempSubdirectory("metadata-tests-").FullName;
        try
        {
            var (model, options) = (Network(), new LinearizeOptions { CacheDirectory = folder, Targets = Targets.All });
            var graph = Compiler.Compile(model, options);
            var path = Assert.Single(Directory.GetFiles(folder));
            var sound = ModelProto.Parser.ParseFrom(File.ReadAllBytes(path));
            var entry = sound.MetadataProps.Single(p => p.Key == "mlnetlinearize.cache");
            var compiled = 0;
            foreach (var (where, changed) in Changed(entry.Value))
            {
                var damaged = sound.Clone();
                damaged.MetadataProps.Single(p => p.Key == entry.Key).Value = changed;
                ModelSeal.Put(damaged);
                OnnxFile.Write(damaged, path);
                var again = CompilationCache.GetOrAdd(folder, model, options, () =>
                {
                    compiled++;
                    return graph;
                });
                Assert.True(graph.Model.Equals(again.Model) && (graph.TargetCount, graph.OutputCount) == (again.TargetCount, again.OutputCount), where);
            }
            Assert.True(compiled > 400, $"only {compiled} were compiled anew");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("RGB", 2, 2, true)]
    [InlineData("", 2, 2, false)]
    [InlineData("RGB", 0, 2, false)]
    [InlineData("RGB", 2, -2, false)]
    [InlineData("RGB", 2147483647, 2147483647, false)]
    [InlineData("RG", 2, 2, false)]
    public void Pixels_make_up_their_input(string channels, int height, int width, bool isSound)
    {
        var raw = new SavedTensor("image", "image", "Single", [12], true, true, new RawSource(false, new PixelLayout(channels, height, width, true)));
        var explained = new SavedTensor(RawColumns.Tensor, null, "Single", [12], true, true);
        var report = new CompilationReport { OriginalOpset = 21, Opset = 21, ExplainedOutput = "y", IsPiecewiseLinear = true, Nodes = [] };
        void Check() => SavedCheck.Graph([raw], [explained], 3, 1, Targets.Predicted, report);
        if (isSound) Check();
        else Assert.Contains("pixels of 'image'", Assert.Throws<InvalidModelException>(Check).Message, StringComparison.Ordinal);
        Assert.Equal(12, SavedCheck.Length(raw));
    }

    private static LinearizationGraph Graph(string name) => name switch
    {
        "compiled" => Compiler.Compile(Network(), new() { InputColumn = "x", Targets = Targets.Top(2) }),
        "inner tensor" => Compiler.Compile(Network(), new() { InputColumn = "x", ExplainedInputs = ["Relu1_0"] }),
        _ => SaveTests.CasesByName[name]().Graph,
    };

    private static ModelProto Network()
    {
        var net = new Net(17, 6);
        return net.Build(net.Op("Gemm", [net.Op("Relu", [net.Input("x", "N", 4)]), net.Weights(4, 3), net.Weights(3)]));
    }

    /// <summary>What a loaded model of that graph gives, as text.</summary>
    private static List<string> Values(ModelProto saved, IDataView data)
    {
        var model = saved.Clone();
        var facts = SavedGraph.FactsOf(model, "the test")!;
        using var transformer = new LinearizingTransformer(SavedGraph.Restore(model, facts, facts.Options(null, null, false, 1)), data.Schema);
        return [.. ViewText.Of(transformer.Transform(data), SaveTests.Columns).Where(l => !l.StartsWith("column ", StringComparison.Ordinal))];
    }

    /// <summary>The text with each field and each element set to each hostile value, one at a time; and a few that are no JSON.</summary>
    private static IEnumerable<(string Where, string Text)> Changed(string text)
    {
        string[] others = ["", "null", "[]", "{}", "no JSON", "{\"layout\":2}", text[..(text.Length / 2)], new string('[', 100_000)];
        foreach (var other in others) yield return ($"the whole: {other[..Math.Min(20, other.Length)]}", other);
        var paths = Paths(JsonNode.Parse(text)!).ToList();
        foreach (var path in paths)
            foreach (var value in Hostile)
            {
                var root = JsonNode.Parse(text)!;
                var node = path[..^1].Aggregate(root, (n, key) => key is int i ? n[i]! : n[(string)key]!);
                const string mark = "\"here the hostile value goes\"";
                if (path[^1] is int index) node[index] = JsonNode.Parse(mark);
                else if (value == "gone") ((JsonObject)node).Remove((string)path[^1]);
                else node[(string)path[^1]] = JsonNode.Parse(mark);
                var where = string.Concat(path.Select(k => k is int ? $"[{k}]" : $".{k}"));
                yield return ($"${where} = {value}", root.ToJsonString().Replace(mark, value == "gone" ? "null" : value, StringComparison.Ordinal));
            }
    }

    private static IEnumerable<object[]> Paths(JsonNode node)
    {
        IEnumerable<(object Key, JsonNode? Value)> children = node switch
        {
            JsonObject o => o.Select(p => ((object)p.Key, p.Value)),
            JsonArray a => a.Select((v, i) => ((object)i, v)),
            _ => [],
        };
        foreach (var (key, value) in children)
        {
            yield return [key];
            foreach (var inner in value is null ? [] : Paths(value)) yield return [key, .. inner];
        }
    }
}
