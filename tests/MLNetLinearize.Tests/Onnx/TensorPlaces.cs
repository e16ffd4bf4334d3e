using MLNetLinearize.Onnx;
using MLNetLinearize.Tests.Rules;
using AttributeType = MLNetLinearize.Onnx.AttributeProto.Types.AttributeType;

namespace MLNetLinearize.Tests;

/// <summary>A small sound model with one more tensor, wherever a file may hold one.</summary>
internal static class TensorPlaces
{
    public static readonly string[] Names =
    [
        "initializer", "attribute", "list in an attribute", "sparse attribute", "indices of a sparse attribute", "list of sparse tensors",
        "nested graph", "list of nested graphs", "nested graph in a nested graph",
        "body of a function", "nested graph in the body of a function", "default of a function's attribute",
        "sparse initializer", "indices of a sparse initializer",
    ];

    public static ModelProto With(TensorProto tensor, string place)
    {
        var model = Small();
        var values = new SparseTensorProto { Values = tensor, Indices = Tensors.Of("indices", new long[] { 0 }, 1), Dims = { 4 } };
        var one = Tensors.Of("one", new float[] { 1 }, 1);
        var inner = new GraphProto { Initializer = { tensor } };
        var indices = new SparseTensorProto { Values = one, Indices = tensor, Dims = { 4 } };
        void OnNode(AttributeProto attribute) => model.Graph.Node[0].Attribute.Add(attribute);
        switch (place)
        {
            case "initializer": model.Graph.Initializer.Add(tensor); break;
            case "attribute": OnNode(Plain(tensor)); break;
            case "list in an attribute": OnNode(new() { Name = "more", Type = AttributeType.Tensors, Tensors = { one, tensor } }); break;
            case "sparse attribute": OnNode(new() { Name = "more", Type = AttributeType.SparseTensor, SparseTensor = values }); break;
            case "indices of a sparse attribute": OnNode(new() { Name = "more", Type = AttributeType.SparseTensor, SparseTensor = indices }); break;
            case "list of sparse tensors": OnNode(new() { Name = "more", Type = AttributeType.SparseTensors, SparseTensors = { values } }); break;
            case "nested graph": OnNode(Inner(inner)); break;
            case "list of nested graphs": OnNode(new() { Name = "more", Type = AttributeType.Graphs, Graphs = { new GraphProto(), inner } }); break;
            case "nested graph in a nested graph": OnNode(Inner(new() { Node = { new NodeProto { OpType = "If", Attribute = { Inner(inner) } } } })); break;
            case "body of a function": model.Functions.Add(Function(new NodeProto { OpType = "Constant", Name = "c", Attribute = { Plain(tensor) } })); break;
            case "nested graph in the body of a function": model.Functions.Add(Function(new NodeProto { OpType = "If", Attribute = { Inner(inner) } })); break;
            case "default of a function's attribute": model.Functions.Add(Function(null, Plain(tensor))); break;
            case "sparse initializer": model.Graph.SparseInitializer.Add(values); break;
            case "indices of a sparse initializer": model.Graph.SparseInitializer.Add(indices); break;
            default: throw new ArgumentException(place);
        }
        return model;
    }

    public static ModelProto Small()
    {
        var net = new Net(17, 3);
        return net.Build(net.Op("Gemm", [net.Input("x", "N", 3), net.Weights(3, 2)]), "N", 2);
    }

    private static AttributeProto Plain(TensorProto tensor) => new() { Name = "more", Type = AttributeType.Tensor, T = tensor };

    private static AttributeProto Inner(GraphProto graph) => new() { Name = "body", Type = AttributeType.Graph, G = graph };

    private static FunctionProto Function(NodeProto? node, params AttributeProto[] defaults) =>
        new() { Name = "f", Domain = "my", Node = { node is null ? [] : new[] { node } }, AttributeProto = { defaults } };
}
