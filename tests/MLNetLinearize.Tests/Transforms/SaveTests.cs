using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using LoadWithoutLibrary;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetLinearize.Onnx;
using MLNetLinearize.Transforms;

namespace MLNetLinearize.Tests.Transforms;

/// <summary>A saved model gives the same columns as before: here, and in a program that does not have this library.</summary>
public sealed class SaveTests : IDisposable
{
    internal static readonly string[] Columns = ["Attribution", "Bias", "Weights", "ExplainedTarget", "ExplainedScore", "LinearizationError", "Attribution.left", "Attribution.right", "Weights.left", "Weights.right", "Grouped", "Grouped.left", "Grouped.right"];

    private readonly MLContext ml = new(seed: 1);
    private readonly string folder = Directory.CreateTempSubdirectory("save-tests").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    public static TheoryData<string> Cases => [.. CasesByName.Keys];

    internal static readonly Dictionary<string, Func<HandMadeGraph>> CasesByName = new()
    {
        ["predicted"] = () => new(3),
        ["all"] = () => new(3, new() { Targets = Targets.All, ClassNames = ["a", "b", "c"] }),
        ["image"] = () => new(3, new() { Targets = Targets.All }, ("x", [1, 2, 2])),
        ["image, one target"] = () => new(3, new(), ("x", [1, 2, 2])),
        ["top"] = () => new(3, new() { Targets = Targets.Top(2) }),
        ["top features"] = () => new(3, new() { Targets = Targets.Top(2), TopFeatures = 2 }),
        ["top features, one target"] = () => new(3, new() { TopFeatures = 3 }),
        ["other column name"] = () => new(3, new() { InputColumn = "x" }, ("pixels", [4])),
        ["scalar column"] = () => new(3, new() { InputColumn = "Number" }, ("pixels", [1])),
        ["scalar column, input without axes"] = () => new(3, new() { InputColumn = "Number" }, ("pixels", [])),
        ["several inputs"] = () => new(2, new() { InputColumns = new Dictionary<string, string> { ["left"] = "x", ["right"] = "Number" } }, ("left", [4]), ("right", [1])),
        ["one column for two inputs"] = () => new(2, new() { InputColumns = new Dictionary<string, string> { ["left"] = "x", ["right"] = "x" } }, ("left", [4]), ("right", [2, 2])),
        ["label"] = () => new(3, new() { Targets = Targets.FromColumn("Class") }),
        ["key label"] = () => new(3, new() { Targets = Targets.FromColumn("Key"), ClassNames = ["ant", "bee", "cow"] }),
        ["text label"] = () => new(3, new() { Targets = Targets.FromColumn("Name"), ClassNames = ["ant", "bee", "cow"] }),
        ["float label"] = () => new(3, new() { Targets = Targets.FromColumn("Whole") }),
        ["grouped"] = () => new(3, new() { Targets = Targets.All, TopFeatures = 1, GroupedAttributionColumn = "Grouped" }),
        ["grouped, several inputs"] = () => new(2, new() { AttributionColumn = null, GroupedAttributionColumn = "Grouped", InputColumns = new Dictionary<string, string> { ["left"] = "x", ["right"] = "Number" } }, ("left", [4]), ("right", [1])),
        ["column under the inner prefix"] = () => new(3, new() { BiasColumn = "mlnetlinearize/Bias" }),
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void LoadsInThisProcess(string name)
    {
        var (before, data, file) = SaveCase(name);
        using var loaded = ml.Model.Load(file, out _) as IDisposable;

        Same(before, [.. ViewText.Of(((ITransformer)loaded!).Transform(data), Columns)]);
    }

    [Fact]
    public void LoadsInAProgramWithoutTheLibrary()
    {
        var saved = CasesByName.Keys.Select(name => (Name: name, Case: SaveCase(name))).ToList();
        var binary = Path.Combine(folder, "data.idv");
        using (var stream = File.Create(binary)) ml.Data.SaveAsBinary(saved[0].Case.Data, stream);
        var lines = Start("LoadWithoutLibrary", [binary, string.Join(',', Columns), .. saved.Select(s => s.Case.File)]);

        foreach (var (name, (before, _, file)) in saved)
        {
            var start = lines.IndexOf($"model {file}");
            Assert.True(start >= 0, name);
            Same(before, [.. lines.Skip(start + 1).TakeWhile(l => !l.StartsWith("model ", StringComparison.Ordinal))]);
        }
    }

    [Fact]
    public void SavesInsideAChain()
    {
        var data = Rows.Named(ml);
        using var model = ml.Transforms.Concatenate("x", "a", "b", "c", "d").Append(new LinearizingEstimator(new HandMadeGraph(2).Graph)).Fit(data);
        var file = Path.Combine(folder, "chain.zip");
        ml.Model.Save(model, data.Schema, file);
        var loaded = ml.Model.Load(file, out var schema);

        Assert.Equal(data.Schema.Select(c => c.Name), schema.Select(c => c.Name));
        Same([.. ViewText.Of(model.Transform(data), Columns)], [.. ViewText.Of(loaded.Transform(data), Columns)]);
    }

    [Fact]
    public void SavesAgainAfterLoading()
    {
        var (before, data, file) = SaveCase("all");
        var again = Path.Combine(folder, "again.zip");
        ml.Model.Save(ml.Model.Load(file, out var schema), schema, again);

        Same(before, [.. ViewText.Of(ml.Model.Load(again, out _).Transform(data), Columns)]);
    }

    [Fact]
    public void TheSavedFileTellsHowItWasMade()
    {
        var (_, _, file) = SaveCase("key label");
        using var zip = ZipFile.OpenRead(file);
        using var entry = zip.Entries.Single(e => e.FullName.EndsWith("OnnxModel", StringComparison.Ordinal)).Open();
        var bytes = new MemoryStream();
        entry.CopyTo(bytes);
        // ML.NET writes the length before the bytes.
        var model = ModelProto.Parser.ParseFrom(bytes.ToArray().AsSpan(sizeof(int)).ToArray());
        var facts = model.MetadataProps.Single(p => p.Key == "mlnetlinearize").Value;

        Assert.Contains("\"targets\":\"column:Key\"", facts, StringComparison.Ordinal);
        Assert.Contains("\"classNames\":[\"ant\",\"bee\",\"cow\"]", facts, StringComparison.Ordinal);
    }

    [Fact]
    public void TheSavedGraphBecomesTheBatchGraphAgain()
    {
        var net = new HandMadeGraph(3, new() { InputColumn = "x" }, ("pixels", [1, 2, 2]));
        var saved = StockStage.Build(new ColumnBinding(net.Graph, Rows.View(ml, 1).Schema));
        var graph = new Graph(saved);
        // Only nodes at the edge are taken away; what is between them is the batch graph.
        graph.Nodes.RemoveAll(n => n.Name.StartsWith("mlnetlinearize/finish/", StringComparison.Ordinal) || n.Name.StartsWith("mlnet.", StringComparison.Ordinal));
        graph.Inputs.Clear();
        graph.Inputs.Add(Graph.Value("mlnetlinearize/pixels", Onnx.TensorProto.Types.DataType.Float, ["N", 1, 2, 2]));
        graph.Outputs.Clear();
        graph.Outputs.Add(Graph.Value("mlnetlinearize/Attribution", Onnx.TensorProto.Types.DataType.Float, ["N", 1, 1, 2, 2]));
        graph.RemoveDead(["mlnetlinearize/Attribution"]);
        var rows = Rows.Make(5);
        using var session = MLNetLinearize.Runtime.Sessions.Create(graph.ToModel(), new());
        using var input = MLNetLinearize.Runtime.OrtArrays.Wrap(rows.SelectMany(r => r.x).ToArray(), [5, 1, 2, 2]);
        using var options = new Microsoft.ML.OnnxRuntime.RunOptions();
        using var result = session.Run(options, ["mlnetlinearize/pixels"], [input], ["mlnetlinearize/Attribution"]);

        Rows.Close([.. rows.SelectMany(r => net.Attribution(Enumerable.Range(0, 3).MaxBy(c => net.Score(c, ("pixels", r.x))), r.x, "pixels"))], result[0].GetTensorDataAsSpan<float>().ToArray());
    }

    private (List<string> Before, IDataView Data, string File) SaveCase(string name)
    {
        var data = LabelledRows.View(ml);
        using var transformer = new LinearizingEstimator(CasesByName[name]().Graph).Fit(data);
        var file = Path.Combine(folder, $"{name.Replace(' ', '-')}.zip");
        ml.Model.Save(transformer, data.Schema, file);
        return ([.. ViewText.Of(transformer.Transform(data), Columns)], data, file);
    }

    internal static List<string> Start(string program, IEnumerable<string> arguments)
    {
        // The tests stand in tests/MLNetLinearize.Tests/bin/<configuration>/<framework>/, the program beside them likewise.
        var here = new DirectoryInfo(AppContext.BaseDirectory);
        var dll = Path.Combine(here.Parent!.Parent!.Parent!.Parent!.FullName, program, "bin", here.Parent.Name, here.Name, program + ".dll");
        using var process = Process.Start(new ProcessStartInfo("dotnet", [dll, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, errors.Result);
        return [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.TrimEnd('\r'))];
    }

    internal static void Same(List<string> expected, List<string> actual)
    {
        Assert.Equal(expected.Count, actual.Count);
        foreach (var (e, a) in expected.Zip(actual))
        {
            if (e.StartsWith("column ", StringComparison.Ordinal))
            {
                Assert.Equal(e, a);
                continue;
            }
            var (left, right) = (e.Split(' '), a.Split(' '));
            Assert.Equal(left[..2], right[..2]);
            Rows.Close([.. left[2..].Select(Number)], [.. right[2..].Select(Number)]);
        }
    }

    private static float Number(string text) => float.Parse(text, CultureInfo.InvariantCulture);
}
