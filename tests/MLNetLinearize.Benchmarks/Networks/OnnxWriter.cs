using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Benchmarks.Networks;

/// <summary>A network as an ONNX model, spelled as PyTorch's exporter spells it, BatchNormalization included.</summary>
internal sealed class OnnxWriter
{
    private readonly GraphProto graph = new() { Name = "network" };

    /// <param name="network">The network.</param>
    /// <param name="batch">Size of the batch axis; open when null. ML.NET's stock transformer needs it to be 1.</param>
    public static ModelProto Write(Network network, int? batch = null)
    {
        var writer = new OnnxWriter();
        object rows = batch is { } size ? (long)size : "N";
        writer.graph.Input.Add(Graph.Value(Network.Input, DataType.Float, [rows, .. network.RowShape.Select(d => (object)(long)d)]));
        writer.graph.Output.Add(Graph.Value(Network.Output, DataType.Float, [rows, (long)network.Outputs]));
        writer.graph.Node.Add(Nodes.Create("Identity", [writer.Chain(network.Layers, Network.Input)], [Network.Output], "output"));
        return new ModelProto { IrVersion = 8, Graph = writer.graph, OpsetImport = { new OperatorSetIdProto { Domain = "", Version = 17 } } };
    }

    private string Chain(IReadOnlyList<Layer> layers, string x) => layers.Aggregate(x, (tensor, layer) => Write(layer, tensor));

    private string Write(Layer layer, string x) => layer switch
    {
        Dense d => Op("Gemm", [x, Weight(d.Kernel, d.Out, d.In), Weight(d.Bias, d.Out)], ("transB", 1)),
        Conv c => Op("Conv", [x, Weight(c.Kernel, c.Out, c.In, c.Size, c.Size), .. c.Bias is { } bias ? [Weight(bias, c.Out)] : Array.Empty<string>()],
            ("kernel_shape", Square(c.Size)), ("strides", Square(c.Stride)), ("pads", Around(c.Padding))),
        BatchNorm b => Op("BatchNormalization", [x, .. new[] { b.Scale, b.Shift, b.Mean, b.Variance }.Select(v => Weight(v, v.Length))], ("epsilon", BatchNorm.Epsilon)),
        Relu => Op("Relu", [x]),
        MaxPool p => Op("MaxPool", [x], ("kernel_shape", Square(p.Size)), ("strides", Square(p.Stride)), ("pads", Around(p.Padding))),
        GlobalAveragePool => Op("Flatten", [Op("GlobalAveragePool", [x])]),
        Flatten => Op("Flatten", [x]),
        Residual r => Op("Add", [Chain(r.Body, x), Chain(r.Shortcut, x)]),
        _ => throw new ArgumentException($"No ONNX operator for {layer.GetType().Name}."),
    };

    private string Op(string op, string[] inputs, params ReadOnlySpan<(string, object)> attributes)
    {
        var name = $"{op}{graph.Node.Count}";
        graph.Node.Add(Nodes.Create(op, inputs, [name], $"node/{name}", attributes));
        return name;
    }

    private string Weight(float[] values, params long[] dims)
    {
        var tensor = Tensors.Of($"weight{graph.Initializer.Count}", values, dims);
        graph.Initializer.Add(tensor);
        return tensor.Name;
    }

    private static long[] Square(long size) => [size, size];

    private static long[] Around(long padding) => [padding, padding, padding, padding];
}
