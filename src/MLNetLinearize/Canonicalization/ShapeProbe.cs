using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using MLNetLinearize.Onnx;
using MLNetLinearize.Runtime;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Canonicalization;

/// <summary>What one run of the network tells of a tensor: type, dimensions, and the value where it was asked for.</summary>
internal sealed record TensorFact(DataType Type, long[] Dims, TensorProto? Value);

/// <summary>
/// Shapes by running: ONNX Runtime executes the network once with every inner tensor as an output. That gives every
/// shape without a shape-inference engine of our own, and the values that shape arithmetic comes to.
/// </summary>
internal sealed class ShapeProbe : IDisposable
{
    private readonly Graph graph;
    private readonly IReadOnlySet<string> capture;
    private readonly LinearizeOptions options;
    private readonly List<string> names;
    private readonly Dictionary<string, DataType> narrow;
    private readonly List<string> fetched;
    private readonly InferenceSession session;

    /// <param name="graph">The network, in an opset ONNX Runtime knows.</param>
    /// <param name="capture">Tensors whose values are kept.</param>
    /// <param name="options">What a run may take.</param>
    public ShapeProbe(Graph graph, IReadOnlySet<string> capture, LinearizeOptions options)
    {
        (this.graph, this.capture, this.options) = (graph, capture, options);
        var model = ClassicalModels.Admitting(graph.ToModel());
        model.Graph.Output.Clear();
        names = [.. graph.Nodes.SelectMany(n => n.Output).Where(o => o.Length > 0)];
        narrow = QuantizedTypes.Narrow(graph.Nodes, graph.Initializers.Values);
        foreach (var name in names) model.Graph.Output.Add(new ValueInfoProto { Name = narrow.ContainsKey(name) ? QuantizedTypes.Widen(model.Graph, name) : name });
        fetched = [.. model.Graph.Output.Select(o => o.Name)];
        // Unoptimized: every named tensor must exist, and opening the session is cheaper than the run.
        session = Sessions.Create(model, new LinearizeOptions(), GraphOptimizationLevel.ORT_DISABLE_ALL);
    }

    /// <param name="inputs">One array per input, with its shape.</param>
    public Dictionary<string, TensorFact> Run(IReadOnlyList<(string Name, Array Values, long[] Shape)> inputs)
    {
        var facts = graph.Initializers.ToDictionary(t => t.Key, t => new TensorFact(t.Value.ElementType(), [.. t.Value.Dims], t.Value));
        var values = inputs.Select(i => OrtArrays.Wrap(i.Values, i.Shape)).ToList();
        try
        {
            foreach (var (name, array, shape) in inputs) facts[name] = new TensorFact(OrtArrays.TypeOf(array), shape, null);
            using var results = options.Watched(run => session.Run(run, [.. inputs.Select(i => i.Name)], values, fetched));
            for (var i = 0; i < names.Count; i++)
                if (results[i].IsTensor) facts[names[i]] = Fact(names[i], results[i]);
        }
        finally
        {
            foreach (var value in values) value.Dispose();
        }
        return facts;
    }

    public void Dispose() => session.Dispose();

    private TensorFact Fact(string name, OrtValue value)
    {
        var info = value.GetTensorTypeAndShape();
        if (narrow.TryGetValue(name, out var small)) return new TensorFact(small, info.Shape, null);
        var type = (DataType)info.ElementDataType; // ONNX Runtime numbers these element types as the file format does
        return new TensorFact(type, info.Shape, capture.Contains(name) ? Value(name, type, value, info.Shape) : null);
    }

    private static TensorProto? Value(string name, DataType type, OrtValue value, long[] shape) => type switch
    {
        DataType.String => null,
        _ => Tensors.Raw(name, type, value.GetTensorMutableRawData(), shape),
    };
}
