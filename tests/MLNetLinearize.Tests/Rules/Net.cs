using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Tests.Rules;

/// <summary>Writes a small model in code. Weights are drawn from a seeded generator, so a net is the same in every run.</summary>
internal sealed class Net(long opset, int seed)
{
    private readonly Random random = new(seed);
    private readonly GraphProto graph = new() { Name = "net" };
    private int counter;

    /// <summary>The tensor that is explained when it is not the output, as before a final Softmax.</summary>
    public string? Explained { get; private set; }

    public string Explain(string tensor) => Explained = tensor;

    public string Input(string name, params object[] dims) => Input(name, DataType.Float, dims);

    public string Input(string name, DataType type, params object[] dims)
    {
        graph.Input.Add(Graph.Value(name, type, dims));
        return name;
    }

    /// <summary>A node; gives the name of its first output.</summary>
    public string Op(string op, string[] inputs, params ReadOnlySpan<(string, object)> attributes) => Ops(op, 1, inputs, attributes)[0];

    /// <summary>A node of several outputs.</summary>
    public string[] Ops(string op, int outputs, string[] inputs, params ReadOnlySpan<(string, object)> attributes)
    {
        var id = ++counter;
        string[] names = [.. Enumerable.Range(0, outputs).Select(i => $"{op}{id}_{i}")];
        graph.Node.Add(Nodes.Create(op, inputs, names, $"{op}{id}", attributes));
        return names;
    }

    /// <summary>A node of the domain ai.onnx.ml; gives the name of its first output.</summary>
    public string Classical(string op, string[] inputs, params ReadOnlySpan<(string, object)> attributes) => Classicals(op, 1, inputs, attributes)[0];

    /// <summary>A node of the domain ai.onnx.ml with several outputs.</summary>
    public string[] Classicals(string op, int outputs, string[] inputs, params ReadOnlySpan<(string, object)> attributes)
    {
        var names = Ops(op, outputs, inputs, attributes);
        graph.Node[^1].Domain = "ai.onnx.ml";
        return names;
    }

    /// <summary>An initializer of normally distributed values, scaled so that activations keep their size.</summary>
    public string Weights(params long[] dims)
    {
        var count = (int)dims.Aggregate(1L, (a, d) => a * d);
        var scale = dims.Length > 1 ? 1 / Math.Sqrt(count / (double)dims[0]) : 0.5;
        return Floats([.. Enumerable.Range(0, count).Select(_ => (float)(scale * Normal()))], dims);
    }

    /// <summary>An initializer of positive values, as variances and scales are.</summary>
    public string Positive(params long[] dims) => Floats([.. Enumerable.Range(0, (int)dims.Aggregate(1L, (a, d) => a * d)).Select(_ => 0.5f + random.NextSingle())], dims);

    public string Floats(float[] values, params long[] dims) => Add(Tensors.Of(Name("w"), values, dims));

    public string Scalar(float value) => Floats([value]);

    public string Ints(params long[] values) => Add(Tensors.Of(Name("i"), values, values.Length));

    public string Ints(long[] values, long[] dims) => Add(Tensors.Of(Name("i"), values, dims));

    public string Bytes(params byte[] values) => Add(Tensors.Raw(Name("u"), DataType.Uint8, values, values.Length == 1 ? [] : [values.Length]));

    public string SignedBytes(params sbyte[] values) => Add(Tensors.Raw(Name("s"), DataType.Int8, [.. values.Select(v => unchecked((byte)v))], values.Length == 1 ? [] : [values.Length]));

    public string Unsigned(byte[] values, params long[] dims) => Add(Tensors.Raw(Name("u"), DataType.Uint8, values, dims));

    public string Integers(sbyte[] values, params long[] dims) => Add(Tensors.Raw(Name("s"), DataType.Int8, [.. values.Select(v => unchecked((byte)v))], dims));

    /// <summary>Elements of any type as the file holds them: packed, where several share a byte.</summary>
    public string Stored(DataType type, byte[] bytes, params long[] dims) => Add(Tensors.Raw(Name("q"), type, bytes, dims));

    /// <summary>The same, as the other place of a file holds them: a byte in each 32-bit integer.</summary>
    public string Listed(DataType type, byte[] bytes, params long[] dims)
    {
        var tensor = new TensorProto { Name = Name("q"), DataType = (int)type, Dims = { dims } };
        tensor.Int32Data.AddRange(bytes.Select(b => (int)b));
        return Add(tensor);
    }

    public string Integers32(int[] values, params long[] dims) => Add(Tensors.Raw(Name("i"), DataType.Int32, System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan()), dims));

    public string Booleans(bool[] values, params long[] dims) => Add(Tensors.Raw(Name("c"), DataType.Bool, values.Select(v => v ? (byte)1 : (byte)0).ToArray(), dims));

    public ModelProto Build(string output, params object[] outputDims)
    {
        var info = Graph.Value(output, DataType.Float, outputDims);
        if (outputDims.Length == 0) info.Type.TensorType.Shape = null;
        graph.Output.Add(info);
        var model = new ModelProto { IrVersion = 8, Graph = graph, OpsetImport = { new OperatorSetIdProto { Domain = "", Version = opset } } };
        if (graph.Node.Any(n => n.Domain == "ai.onnx.ml")) model.OpsetImport.Add(new OperatorSetIdProto { Domain = "ai.onnx.ml", Version = 3 });
        return model;
    }

    /// <summary>An integer-list attribute.</summary>
    public static long[] L(params long[] values) => values;

    private string Add(TensorProto tensor)
    {
        graph.Initializer.Add(tensor);
        return tensor.Name;
    }

    private string Name(string hint) => $"{hint}{++counter}";

    private double Normal() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
