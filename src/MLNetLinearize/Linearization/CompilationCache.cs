using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using MLNetLinearize.Onnx;

namespace MLNetLinearize.Linearization;

/// <summary>
/// Compiled graphs in a folder, by a hash of all that decides them: the model's content, the options, the library and ONNX
/// Runtime. An entry is the graph, sealed by a hash (<see cref="ModelSeal"/>); one that does not match, or tells what cannot be, is as
/// good as none.
/// </summary>
internal static class CompilationCache
{
    private const string FactsKey = "mlnetlinearize.cache";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    /// <exception cref="IOException">The folder cannot be read or written.</exception>
    public static LinearizationGraph GetOrAdd(string folder, ModelProto model, LinearizeOptions options, Func<LinearizationGraph> compile)
    {
        var key = Key(model, options);
        var path = Path.Combine(folder, key + ".linearization");
        LinearizationGraph? graph = null;
        InFolder(folder, () => graph = Read(path, key, options));
        if (graph is not null) return graph;
        graph = compile();
        InFolder(folder, () => Write(path, key, graph));
        return graph;
    }

    /// <summary>What decides the compiled graph, as a file name.</summary>
    public static string Key(ModelProto model, LinearizeOptions options)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(Deciding(options), Json)));
        hash.AppendData(SHA256.HashData(model.ToByteArray()));
        return Convert.ToHexString(hash.GetHashAndReset());
    }

    /// <summary>The options that decide the graph. The others name columns, or say how it is run.</summary>
    public static Dictionary<string, object?> Deciding(LinearizeOptions options) => new()
    {
        // Of builds of one version as well: the identifier is that of the compiled code.
        ["library"] = $"{typeof(CompilationCache).Assembly.GetName().Version} {typeof(CompilationCache).Module.ModuleVersionId}",
        ["runtime"] = OrtEnv.Instance().GetVersionString(),
        [nameof(options.InputShapes)] = options.InputShapes?.OrderBy(s => s.Key, StringComparer.Ordinal).Select(s => new { s.Key, s.Value }),
        [nameof(options.ExplainedInputs)] = options.ExplainedInputs,
        [nameof(options.ExplainedOutput)] = options.ExplainedOutput,
        [nameof(options.Targets)] = options.Targets.ToString(),
        [nameof(options.Nonlinearity)] = options.Nonlinearity.ToString(),
        [nameof(options.MaxUnrolledSteps)] = options.MaxUnrolledSteps.ToString(CultureInfo.InvariantCulture),
        [nameof(options.MaxBytesPerRow)] = options.MaxBytesPerRow.ToString(CultureInfo.InvariantCulture),
    };

    private static void InFolder(string folder, Action work)
    {
        try
        {
            work();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"The compiled graph cannot be kept in LinearizeOptions.CacheDirectory '{folder}': {e.Message} Name a folder that can be written, or none.", e);
        }
    }

    private static LinearizationGraph? Read(string path, string key, LinearizeOptions options)
    {
        if (!File.Exists(path)) return null;
        try
        {
            using var file = File.OpenRead(path);
            var model = OnnxFile.Parse(file, path);
            return ModelSeal.Take(model) is var (expected, actual) && expected == actual ? Told(OnnxFile.Sound(model, path), key, options) : null;
        }
        catch (Exception e) when (e is JsonException or InvalidModelException)
        {
            // Not what was written here, or sealed with nonsense inside: compiled anew, and written over.
            return null;
        }
    }

    private static LinearizationGraph? Told(ModelProto model, string key, LinearizeOptions options)
    {
        if (model.MetadataProps.FirstOrDefault(p => p.Key == FactsKey) is not { } entry || JsonSerializer.Deserialize<CachedFacts>(entry.Value, Json) is not { } facts || facts.Key != key) return null;
        SavedCheck.Graph(facts.Inputs, facts.Explained, facts.OutputCount, facts.TargetCount, options.Targets, facts.Report);
        model.MetadataProps.Remove(entry);
        var inputs = facts.Inputs.Select(i => i.ToGraphInput()).ToList();
        var explained = facts.Explained.Select(i => inputs.FirstOrDefault(k => k.Name == i.Name) ?? i.ToGraphInput()).ToList();
        var graph = new LinearizationGraph(model, inputs, explained, facts.OutputCount, facts.TargetCount, facts.RowByRow, options, facts.Report);
        SavedEdges.Check(graph);
        return graph;
    }

    private static void Write(string path, string key, LinearizationGraph graph)
    {
        var facts = new CachedFacts(key, [.. graph.Inputs.Select(i => SavedTensor.Of(i, null))], [.. graph.ExplainedInputs.Select(i => SavedTensor.Of(i, null))],
            graph.OutputCount, graph.TargetCount, graph.IsRowByRow, graph.Report);
        var model = graph.Model.Clone();
        model.MetadataProps.Add(new StringStringEntryProto { Key = FactsKey, Value = JsonSerializer.Serialize(facts, Json) });
        ModelSeal.Put(model);
        OnnxFile.Write(model, path);
    }

    /// <summary>What a graph is beside its nodes.</summary>
    private sealed record CachedFacts(string Key, IReadOnlyList<SavedTensor> Inputs, IReadOnlyList<SavedTensor> Explained, int OutputCount, int TargetCount, bool RowByRow, CompilationReport Report);
}
