using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Linearization;

/// <summary>
/// Writes the nodes around a finished graph, under one prefix: those before <see cref="InputsDone"/> stand in front of it,
/// the others behind.
/// </summary>
internal sealed class FinishNodes(Graph graph, string prefix)
{
    private int front;
    private bool inputsDone;

    public void InputsDone() => inputsDone = true;

    public void Input(string name, DataType type, params long[] shape) => graph.Inputs.Add(Graph.Value(name, type, shape.Cast<object>()));

    public string Constant(long[] values, params long[] shape) => graph.AddInitializer(Tensors.Of(prefix + "constant", values, shape.Length == 0 ? [values.Length] : shape));

    public string Constant(TensorProto tensor)
    {
        tensor.Name = prefix + "constant";
        return graph.AddInitializer(tensor);
    }

    public string Add(string op, string[] inputs, params (string, object)[] attributes) => AddMany(op, inputs, 1, attributes)[0];

    /// <summary>Adds a node whose result has a given name.</summary>
    public void Add(string op, string[] inputs, string output) => Insert(Nodes.Create(op, inputs, [output], graph.Fresh(prefix + op)));

    public string[] AddMany(string op, string[] inputs, int count, params (string, object)[] attributes)
    {
        var name = graph.Fresh(prefix + op);
        string[] outputs = [.. Enumerable.Range(0, count).Select(i => graph.Fresh($"{name}/{i}"))];
        Insert(Nodes.Create(op, inputs, outputs, name, attributes));
        return outputs;
    }

    private void Insert(NodeProto node)
    {
        if (inputsDone) graph.Nodes.Add(node);
        else graph.Nodes.Insert(front++, node);
    }
}
