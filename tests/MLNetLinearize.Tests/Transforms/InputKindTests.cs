using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Tests.Transforms;

/// <summary>Models with inputs that are not explained, of other types, and explanations by inner tensors: live, and saved and loaded.</summary>
public sealed class InputKindTests : IDisposable
{
    private readonly MLContext ml = new(seed: 1);
    private readonly string folder = Directory.CreateTempSubdirectory("input-kind-tests").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void InputsThatAreNotExplainedShareInTheBias()
    {
        var file = WithIntegerAndFlag();
        var rows = Rows.Make(20);
        var data = ml.Data.LoadFromEnumerable(rows);
        var options = new LinearizeOptions { InputColumns = new Dictionary<string, string> { ["n"] = "Id", ["flag"] = "Flag" } };
        using var transformer = ml.Transforms.Linearize(file, options).Fit(data);
        var live = transformer.Transform(data);

        var attributions = live.GetColumn<float[]>("Attribution").ToList();
        var biases = live.GetColumn<float[]>("Bias").ToList();
        for (var i = 0; i < rows.Length; i++)
        {
            Rows.Close([.. rows[i].x.Select((v, j) => v * (j + 1))], attributions[i]);
            Rows.Close([rows[i].Id + (rows[i].Flag ? 1 : 0)], biases[i]);
        }
        AssertSavedSame(transformer, data, live);
    }

    [Fact]
    public void WrongTypesOfSuchInputsAreNamed()
    {
        var data = ml.Data.LoadFromEnumerable(Rows.Make(1));
        var options = new LinearizeOptions { InputColumns = new Dictionary<string, string> { ["n"] = "Number", ["flag"] = "Flag" } };
        var error = Assert.Throws<ArgumentException>(() => ml.Transforms.Linearize(WithIntegerAndFlag(), options).Fit(data));
        Assert.Contains("Column 'Number' feeds the model's input 'n' and must be one Int64", error.Message, StringComparison.Ordinal);
        Assert.Contains("DataKind.Int64", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnInnerTensorExplainsTheScore()
    {
        var file = Samples.Path("models/digits-cnn.onnx");
        var inner = OnnxFile.Read(file).Graph.Node.First(n => n.OpType == "Flatten").Input[0];
        var data = ml.Data.LoadFromEnumerable(Enumerable.Range(0, 5).Select(i => new Pixels { pixels = [.. Enumerable.Range(0, 64).Select(p => (p * (i + 3) % 17) / 16f)] }));
        using var transformer = ml.Transforms.Linearize(file, new() { ExplainedInputs = [inner] }).Fit(data);
        var live = transformer.Transform(data);
        var scores = live.GetColumn<float[]>("ExplainedScore").ToList();
        var sums = live.GetColumn<float[]>("Attribution").Zip(live.GetColumn<float[]>("Bias"), (a, b) => a.Sum() + b[0]).ToList();

        Assert.Equal(3, ((VectorDataViewType)live.Schema["Attribution"].Type).Dimensions.Length);
        for (var i = 0; i < 5; i++) Assert.Equal(scores[i][0], sums[i], 1e-4f);
        AssertSavedSame(transformer, data, live);
    }

    private void AssertSavedSame(ITransformer transformer, IDataView data, IDataView live)
    {
        var saved = Path.Combine(folder, "model.zip");
        ml.Model.Save(transformer, data.Schema, saved);
        var stored = ml.Model.Load(saved, out _).Transform(data);
        Assert.Equal(live.Schema.Select(c => (c.Name, c.Type)), stored.Schema.Select(c => (c.Name, c.Type)));
        foreach (var column in new[] { "Attribution", "Bias", "Weights", "ExplainedScore" })
            foreach (var (left, right) in live.GetColumn<float[]>(column).Zip(stored.GetColumn<float[]>(column))) Rows.Close(left, right, 1e-5f);
    }

    /// <summary><c>score = 1·x0 + 2·x1 + 3·x2 + 4·x3 + n + flag</c>.</summary>
    private string WithIntegerAndFlag()
    {
        var graph = new GraphProto { Name = "mixed" };
        graph.Input.Add(Graph.Value("x", DataType.Float, ["N", 4]));
        graph.Input.Add(Graph.Value("n", DataType.Int64, ["N", 1]));
        graph.Input.Add(Graph.Value("flag", DataType.Bool, ["N", 1]));
        graph.Output.Add(Graph.Value("score", DataType.Float, ["N", 1]));
        graph.Initializer.Add(Tensors.Of("A", [1f, 2, 3, 4], 4, 1));
        graph.Node.Add(Nodes.Create("MatMul", ["x", "A"], ["xa"], "m"));
        graph.Node.Add(Nodes.Create("Cast", ["n"], ["nf"], "c1", ("to", 1)));
        graph.Node.Add(Nodes.Create("Cast", ["flag"], ["ff"], "c2", ("to", 1)));
        graph.Node.Add(Nodes.Create("Add", ["xa", "nf"], ["s1"], "a1"));
        graph.Node.Add(Nodes.Create("Add", ["s1", "ff"], ["score"], "a2"));
        var model = new ModelProto { IrVersion = 8, Graph = graph };
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = 17 });
        var file = Path.Combine(folder, "mixed.onnx");
        OnnxFile.Write(model, file);
        return file;
    }

    private sealed class Pixels
    {
        [VectorType(64)]
        public float[] pixels { get; set; } = [];
    }
}
