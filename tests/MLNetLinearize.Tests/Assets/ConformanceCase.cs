using MLNetLinearize.Onnx;
using MLNetLinearize.Tests.Oracle;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Tests.Assets;

/// <summary>One of the ONNX project's own test cases: a model with the inputs and the output it must give.</summary>
internal sealed class ConformanceCase
{
    private readonly string folder;

    public ConformanceCase(string name)
    {
        folder = AssetFolder.File(Path.Combine("conformance", name));
        Model = OnnxFile.Read(Path.Combine(folder, "model.onnx"));
        var data = Directory.Exists(Path.Combine(folder, "test_data_set_0")) ? Path.Combine(folder, "test_data_set_0") : folder;
        var names = Model.Graph.Input.Select(i => i.Name).Where(i => Model.Graph.Initializer.All(t => t.Name != i));
        Inputs = names.Select((n, i) => (Name: n, File: Path.Combine(data, $"input_{i}.pb"))).Where(i => File.Exists(i.File)).ToDictionary(i => i.Name, i => Tensor(i.File));
        Outputs = Model.Graph.Output.Select((o, i) => (o.Name, File: Path.Combine(data, $"output_{i}.pb"), IsTensor: o.Type?.TensorType is not null)).Where(o => o.IsTensor && File.Exists(o.File)).ToDictionary(o => o.Name, o => Tensor(o.File));
    }

    public IReadOnlyDictionary<string, TensorProto> Outputs { get; }

    public IEnumerable<string> FloatInputs => Inputs.Where(i => IsFloat(i.Value)).Select(i => i.Key);

    public IEnumerable<string> FloatOutputs => Outputs.Where(o => IsFloat(o.Value)).Select(o => o.Key);

    private static bool IsFloat(TensorProto tensor) => tensor.Dims.All(d => d > 0) && tensor.ElementType() is DataType.Float or DataType.Double or DataType.Float16 or DataType.Bfloat16;

    /// <summary>Cases in which ONNX Runtime itself gives another output than the ONNX project expects, or the project gives four digits of it.</summary>
    private static readonly string[] NotAsExpected = ["test_maxunpool_export_with_output_shape", "test_averagepool_2d_ceil_last_window_starts_on_pad"];

    /// <summary>All cases.</summary>
    public static IEnumerable<string> AllNames => AssetFolder.Path is null ? [] : new[] { "onnx-node", "onnx-node-newest", "onnx-pytorch-operator", "onnx-pytorch-converted" }
        .SelectMany(set => Directory.GetDirectories(AssetFolder.File($"conformance/{set}")).Select(d => $"{set}/{Path.GetFileName(d)}")).Order(StringComparer.Ordinal);

    /// <summary>The cases whose expected output ONNX Runtime gives.</summary>
    public static IEnumerable<string> Names => AssetFolder.Path is null ? ["none"] : AllNames.Where(n => !NotAsExpected.Contains(n[(n.IndexOf('/', StringComparison.Ordinal) + 1)..]));

    public ModelProto Model { get; }

    public IReadOnlyDictionary<string, TensorProto> Inputs { get; }

    public TensorProto Expected => Outputs.Values.First();

    /// <summary>The first float input, which the others are held constant for.</summary>
    public string? Explained => Inputs.FirstOrDefault(i => i.Value.ElementType() == DataType.Float).Key;

    /// <summary>The model with every input but <paramref name="kept"/> stored as a constant, as weights, shapes and indices are in a network.</summary>
    public ModelProto WithConstants(string kept)
    {
        var model = Model.Clone();
        foreach (var (name, tensor) in Inputs.Where(i => i.Key != kept))
        {
            model.Graph.Input.Remove(model.Graph.Input.Single(i => i.Name == name));
            var stored = tensor.Clone();
            stored.Name = name;
            model.Graph.Initializer.Add(stored);
        }
        return model;
    }

    public bool HasNumbers => Outputs.Count > 0 && Inputs.Values.Append(Expected).All(t => t.ElementType() is DataType.Float or DataType.Double or DataType.Int64 or DataType.Int32 or DataType.Bool);

    /// <summary>Whether the expected output is a number everywhere, unlike the root of a negative one.</summary>
    public bool IsFinite => DenseOracle.Read(Expected).Value.All(double.IsFinite);

    public Dictionary<string, Dual> Feeds => Inputs.ToDictionary(i => i.Key, i => DenseOracle.Read(i.Value));

    /// <summary>An input as the library is fed.</summary>
    public static Array Values(TensorProto tensor) => tensor.ElementType() switch
    {
        DataType.Float => tensor.ToSingle(),
        DataType.Double => tensor.ToDouble(),
        DataType.Int64 => tensor.ToInt64(),
        DataType.Int32 => tensor.ToInt64().Select(v => (int)v).ToArray(),
        DataType.Bool => tensor.ToInt64().Select(v => v != 0).ToArray(),
        var type => throw new NotSupportedException(type.ToString()),
    };

    private static TensorProto Tensor(string file) => TensorProto.Parser.ParseFrom(File.ReadAllBytes(file));
}
