using Google.Protobuf;
using MLNetLinearize.Linearization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Runtime;
using MLNetLinearize.Tests.Rules;

namespace MLNetLinearize.Tests.Linearization;

/// <summary>A cached graph is the compiled one, and anything but a sound entry of the same model and options is compiled anew.</summary>
public sealed class CompilationCacheTests : IDisposable
{
    /// <summary>Options that name columns or say how the graph is run, and leave it as it is.</summary>
    private static readonly string[] NotDeciding =
    [
        "InputColumn", "InputColumns", "ClassNames", "TopFeatures", "AttributionColumn", "BiasColumn", "WeightsColumn", "ExplainedTargetColumn", "ExplainedScoreColumn",
        "LinearizationErrorColumn", "GroupedAttributionColumn", "BatchSize", "GpuDeviceId", "FallbackToCpu", "Threads", "CacheDirectory", "ClassNamesColumn", "Log", "Limits", "CancellationToken",
        "Preprocessing", // with which there is no cache
    ];

    private readonly string folder = Path.Combine(Path.GetTempPath(), $"cache-tests-{Guid.NewGuid():N}");

    public void Dispose()
    {
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
    }

    public static TheoryData<string> Cases => ["all", "label", "inner tensor", "row by row"];

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_cached_graph_gives_what_the_compiled_one_gives(string name)
    {
        var options = Options(name);
        var model = Network(name == "row by row");
        var compiled = Compiler.Compile(model, options);
        var cached = CompilationCache.GetOrAdd(folder, model, options, () => throw new InvalidOperationException("compiled twice"));
        Assert.Equal(compiled.Model, cached.Model);
        Assert.Equal((compiled.OutputCount, compiled.TargetCount, compiled.IsRowByRow), (cached.OutputCount, cached.TargetCount, cached.IsRowByRow));
        Assert.Equal(compiled.Inputs.Select(Told), cached.Inputs.Select(Told));
        Assert.Equal(compiled.ExplainedInputs.Select(Told), cached.ExplainedInputs.Select(Told));
        Assert.Equal(compiled.ExplainedInputs.Select(i => compiled.Inputs.Contains(i)), cached.ExplainedInputs.Select(i => cached.Inputs.Contains(i)));
        Assert.Equal(compiled.Report.Accumulation, cached.Report.Accumulation);
        Assert.Equal(compiled.Report.Nodes.Select(n => (n.Name, n.Rule, n.MultiplyAdds)), cached.Report.Nodes.Select(n => (n.Name, n.Rule, n.MultiplyAdds)));
        using ExplanationSession a = new(compiled), b = new(cached);
        var rows = SampleRows.Of(compiled, 2, seed: 5);
        foreach (var output in a.SingleOutputs) Assert.Equal(a.Run(rows, 2).AllSingle(output), b.Run(rows, 2).AllSingle(output));

        static string Told(GraphInput i) => $"{i with { RowShape = [] }} [{string.Join(", ", i.RowShape)}]";
    }

    [Theory]
    [InlineData("changed")]
    [InlineData("cut short")]
    [InlineData("empty")]
    [InlineData("of other options")]
    public void A_damaged_entry_is_compiled_anew_and_mended(string how)
    {
        var (model, options) = (Network(), Options("all"));
        Compiler.Compile(model, options);
        var entry = Assert.Single(Directory.GetFiles(folder));
        var sound = File.ReadAllBytes(entry);
        switch (how)
        {
            case "changed": File.WriteAllBytes(entry, [.. sound[..^20], (byte)(sound[^20] ^ 1), .. sound[^19..]]); break;
            case "cut short": File.WriteAllBytes(entry, sound[..(sound.Length / 2)]); break;
            case "empty": File.WriteAllBytes(entry, []); break;
            default:
                Compiler.Compile(model, new() { CacheDirectory = folder });
                File.Copy(Directory.GetFiles(folder).Single(f => f != entry), entry, overwrite: true);
                break;
        }
        var again = Compiler.Compile(model, options);
        Assert.Equal(3, again.TargetCount);
        Assert.Equal(sound, File.ReadAllBytes(entry));
    }

    [Fact]
    public void The_key_tells_models_and_deciding_options_apart()
    {
        var (model, other) = (Network(), Network());
        other.Graph.Initializer[0].RawData = ByteString.CopyFrom([.. other.Graph.Initializer[0].RawData.Select((b, i) => i == 0 ? (byte)(b ^ 1) : b)]);
        LinearizeOptions[] options =
        [
            new(), new() { Targets = Targets.All }, new() { Targets = Targets.Top(2) }, new() { Targets = Targets.Top(3) }, new() { Targets = Targets.Classes(0, 1) }, new() { Targets = Targets.Classes(1, 0) },
            new() { Nonlinearity = Nonlinearity.Frozen }, new() { MaxBytesPerRow = 1 << 20 }, new() { ExplainedOutput = "a" }, new() { ExplainedInputs = ["a"] }, new() { ExplainedInputs = ["a", "b"] },
            new() { InputShapes = new Dictionary<string, IReadOnlyList<int>> { ["x"] = [1, 4] } }, new() { InputShapes = new Dictionary<string, IReadOnlyList<int>> { ["x"] = [1, 5] } },
        ];
        var keys = options.Select(o => CompilationCache.Key(model, o)).Append(CompilationCache.Key(other, new())).ToList();
        Assert.Equal(keys.Count, keys.Distinct().Count());
        Assert.Equal(keys[0], CompilationCache.Key(Network(), new() { Threads = 1, BatchSize = 3, BiasColumn = null, CacheDirectory = folder }));
    }

    [Fact]
    public void Every_option_is_known_to_decide_or_not_to()
    {
        var deciding = CompilationCache.Deciding(new()).Keys.Except(["library", "runtime"]);
        Assert.Equal(typeof(LinearizeOptions).GetProperties().Select(p => p.Name).Order(), deciding.Concat(NotDeciding).Order());
    }

    [Fact]
    public void A_folder_that_cannot_be_written_is_told()
    {
        File.WriteAllText(folder, "a file");
        try
        {
            var error = Assert.Throws<IOException>(() => Compiler.Compile(Network(), Options("all")));
            Assert.Contains($"CacheDirectory '{folder}'", error.Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(folder);
        }
        Assert.Contains("CacheDirectory is empty", Assert.Throws<ArgumentException>(() => Compiler.Compile(Network(), new() { CacheDirectory = " " })).Message, StringComparison.Ordinal);
    }

    private LinearizeOptions Options(string name) => name switch
    {
        "label" => new() { CacheDirectory = folder, Targets = Targets.FromColumn("Label") },
        "inner tensor" => new() { CacheDirectory = folder, ExplainedInputs = ["Relu1_0"] },
        _ => new() { CacheDirectory = folder, Targets = Targets.All },
    };

    private static ModelProto Network(bool rowByRow = false)
    {
        var net = new Net(17, 6);
        if (rowByRow) return net.Build(net.Op("MatMul", [net.Weights(3, 5), net.Op("Relu", [net.Input("x", 5)])]));
        return net.Build(net.Op("Gemm", [net.Op("Relu", [net.Input("x", "N", 5)]), net.Weights(5, 3), net.Weights(3)]));
    }
}
