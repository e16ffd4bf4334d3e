using System.Runtime.InteropServices;
using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Tests.Cli;

/// <summary>Networks small enough to work out by hand.</summary>
internal static class TinyModels
{
    /// <summary>
    /// Three inputs, two outputs, no nonlinearity: y0 = 2·a − 3·b + 0·c + 1, y1 = −1·a + 4·b + 0.5·c − 2.
    /// </summary>
    public static string WriteLinear(TemporaryFolder folder)
    {
        var gemm = Nodes.Create("Gemm", ["x", "w", "b"], ["y"], "linear", ("transB", 1));
        return Write(folder, "linear.onnx", [gemm], [Tensors.Of("w", [2f, -3, 0, -1, 4, 0.5f], 2, 3), Tensors.Of("b", [1f, -2], 2)], ["N", 3], ["N", 2]);
    }

    /// <summary>One node that has a rule and one that has none.</summary>
    public static string WriteRefused(TemporaryFolder folder)
    {
        var nodes = new[] { Nodes.Create("Relu", ["x"], ["r"], "first"), Nodes.Create("NonZero", ["r"], ["n"], "pick"), Nodes.Create("Cast", ["n"], ["y"], "last", ("to", (int)DataType.Float)) };
        return Write(folder, "refused.onnx", nodes, [], ["N", 3], [2, "M"]);
    }

    /// <summary>A network of whole numbers, which have no slope.</summary>
    public static string WriteIntegers(TemporaryFolder folder) =>
        Write(folder, "integers.onnx", [Nodes.Create("Cast", ["x"], ["y"], "cast", ("to", (int)DataType.Float))], [], ["N", 3], ["N", 3], DataType.Int32);

    /// <summary>
    /// Two whole numbers, each looked up in a table of three pairs, (1, 10), (2, 20) and (3, 30); y is the first of the
    /// first pair plus twice the second of the second pair. The looked-up tensor is <c>looked</c>.
    /// </summary>
    public static string WriteLookup(TemporaryFolder folder)
    {
        var nodes = new[] { Nodes.Create("Gather", ["table", "x"], ["looked"], "look", ("axis", 0)), Nodes.Create("Flatten", ["looked"], ["flat"], "flatten"), Nodes.Create("MatMul", ["flat", "w"], ["y"], "linear") };
        return Write(folder, "lookup.onnx", nodes, [Tensors.Of("table", [1f, 10, 2, 20, 3, 30], 3, 2), Tensors.Of("w", [1f, 0, 0, 2], 4, 1)], ["N", 2], ["N", 1], DataType.Int64);
    }

    /// <summary>
    /// Three inputs and one that the score does not read: y = 2·x₀ − 3·x₁ + 5·z + t[ids₀] + 10·t[ids₁], where t is 100, 200, 300.
    /// </summary>
    public static string WriteMixed(TemporaryFolder folder, long opset = 17, object? rows = null, DataType ids = DataType.Int64)
    {
        var n = rows ?? "N";
        var net = new Rules.Net(opset, 1);
        var numbers = net.Op("MatMul", [net.Op("Concat", [net.Input("x", n, 2), net.Input("z", n, 1)], ("axis", 1)), net.Floats([2f, -3, 5], 3, 1)]);
        net.Input("Label", n, 1);
        var looked = net.Op("Gather", [net.Floats([100f, 200, 300], 3), net.Input("ids", ids, n, 2)], ("axis", 0));
        OnnxFile.Write(net.Build(net.Op("Add", [numbers, net.Op("MatMul", [looked, net.Floats([1f, 10], 2, 1)])]), n, 1), folder.File("mixed.onnx"));
        return folder.File("mixed.onnx");
    }

    /// <summary>A number and a text: y = 3·x + the number of the city, 1 for Rome and 7 for Oslo.</summary>
    public static string WriteCity(TemporaryFolder folder)
    {
        var net = new Rules.Net(17, 1);
        net.Input("City", DataType.String, "N", 1);
        var city = net.Op("Cast", [net.Classical("LabelEncoder", ["City"], ("keys_strings", (string[])["Rome", "Oslo"]), ("values_int64s", (long[])[1, 7]))], ("to", (long)DataType.Float));
        OnnxFile.Write(net.Build(net.Op("Add", [city, net.Op("Mul", [net.Input("x", "N", 1), net.Scalar(3)])]), "N", 1), folder.File("city.onnx"));
        return folder.File("city.onnx");
    }

    /// <summary>The network of <see cref="WriteLinear"/> with its matrix in a file of its own, <c>linear.weights</c>.</summary>
    public static string WriteExternal(TemporaryFolder folder)
    {
        var model = OnnxFile.Read(WriteLinear(folder));
        var matrix = model.Graph.Initializer.Single(t => t.Name == "w");
        folder.Write("linear.weights", MemoryMarshal.AsBytes(matrix.ToSingle().AsSpan()).ToArray());
        matrix.ClearRawData();
        matrix.FloatData.Clear();
        matrix.DataLocation = TensorProto.Types.DataLocation.External;
        matrix.ExternalData.Add(new StringStringEntryProto { Key = "location", Value = "linear.weights" });
        OnnxFile.Write(model, folder.File("linear.onnx"));
        return folder.File("linear.onnx");
    }

    /// <summary>An image of three channels, [3, 2, 2]: one output for each channel, the sum of its pixels.</summary>
    public static string WriteImage(TemporaryFolder folder) =>
        Write(folder, "image.onnx", [Nodes.Create("GlobalAveragePool", ["x"], ["mean"], "pool"), Nodes.Create("Flatten", ["mean"], ["flat"], "flatten"), Nodes.Create("Mul", ["flat", "four"], ["y"], "sum")],
            [Tensors.Of("four", [4f], 1)], ["N", 3, 2, 2], ["N", 3]);

    /// <summary>
    /// Images of three channels, [3, height, width] or [height, width, 3], declared as <paramref name="input"/>: output c is
    /// channel c of the pixel at the top right, plus 0.5, −1 and 0.25.
    /// </summary>
    public static string WriteCorner(TemporaryFolder folder, object[] input, int height, int width, bool isChannelsLast)
    {
        var weights = new float[height * width * 3, 3];
        for (var c = 0; c < 3; c++) weights[isChannelsLast ? (width - 1) * 3 + c : c * height * width + width - 1, c] = 1;
        return Write(folder, "corner.onnx", [Nodes.Create("Flatten", ["x"], ["flat"], "flatten"), Nodes.Create("Gemm", ["flat", "w", "b"], ["y"], "corner")],
            [Tensors.Of("w", weights.Cast<float>().ToArray(), height * width * 3, 3), Tensors.Of("b", [0.5f, -1, 0.25f], 3)], input, ["N", 3]);
    }

    /// <summary>The network of <see cref="WriteLinear"/> behind an input in double precision.</summary>
    public static string WriteDouble(TemporaryFolder folder)
    {
        var nodes = new[] { Nodes.Create("Cast", ["x"], ["single"], "cast", ("to", (int)DataType.Float)), Nodes.Create("Gemm", ["single", "w", "b"], ["y"], "linear", ("transB", 1)) };
        return Write(folder, "double.onnx", nodes, [Tensors.Of("w", [2f, -3, 0, -1, 4, 0.5f], 2, 3), Tensors.Of("b", [1f, -2], 2)], ["N", 3], ["N", 2], DataType.Double);
    }

    /// <summary>A matrix that does not fit its input: no runtime takes this model.</summary>
    public static string WriteBroken(TemporaryFolder folder) =>
        Write(folder, "broken.onnx", [Nodes.Create("MatMul", ["x", "w"], ["y"], "misfit")], [Tensors.Of("w", [1f, 2, 3, 4], 2, 2)], ["N", 3], ["N", 2]);

    /// <summary>An input that leaves its width open.</summary>
    public static string WriteOpen(TemporaryFolder folder) => Write(folder, "open.onnx", [Nodes.Create("Relu", ["x"], ["y"], "relu")], [], ["N", "W"], ["N", "W"]);

    private static string Write(TemporaryFolder folder, string name, IEnumerable<NodeProto> nodes, IEnumerable<TensorProto> weights, object[] input, object[] output, DataType type = DataType.Float)
    {
        var model = new ModelProto { IrVersion = 8, Graph = new GraphProto { Name = "tiny" } };
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = 17 });
        model.Graph.Node.AddRange(nodes);
        model.Graph.Initializer.AddRange(weights);
        model.Graph.Input.Add(Graph.Value("x", type, input));
        model.Graph.Output.Add(Graph.Value("y", DataType.Float, output));
        OnnxFile.Write(model, folder.File(name));
        return folder.File(name);
    }
}
