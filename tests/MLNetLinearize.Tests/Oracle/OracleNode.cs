using MLNetLinearize.Onnx;

namespace MLNetLinearize.Tests.Oracle;

/// <summary>One node while it is evaluated: its inputs' values and what its attributes mean at the model's opset.</summary>
internal sealed class OracleNode(NodeProto node, Dual?[] inputs, long opset)
{
    public string Domain => node.Domain;

    /// <summary>The same node on other inputs.</summary>
    public OracleNode With(params Dual?[] others) => new(node, others, opset);

    public string Operator => node.OpType;

    public long Opset => opset;

    public int OutputCount => node.Output.Count;

    public IReadOnlyList<Dual> Inputs => [.. inputs.Where(i => i is not null).Select(i => i!)];

    public Dual X => this[0];

    public Dual this[int i] => Optional(i) ?? throw new ArgumentException($"{Operator} '{node.Name}' lacks input {i}.");

    public Dual? Optional(int i) => i < inputs.Length ? inputs[i] : null;

    public bool Has(string name) => Find(name) is not null;

    public long Int(string name, long otherwise) => Find(name)?.I ?? otherwise;

    public double Float(string name, float otherwise) => Find(name)?.F ?? otherwise;

    public string Text(string name, string otherwise) => Find(name)?.S.ToStringUtf8() ?? otherwise;

    public int[] Sizes(string name, int[] otherwise) => Find(name) is { } a ? Shapes.Ints(a.Ints) : otherwise;

    public long[]? Ints(string name) => Find(name) is { } a ? [.. a.Ints] : null;

    public float[]? Floats(string name) => Find(name) is { } a ? [.. a.Floats] : null;

    public string[]? Strings(string name) => Find(name) is { } a ? [.. a.Strings.Select(s => s.ToStringUtf8())] : null;

    public Dual? Tensor(string name) => Find(name)?.T is { } t ? DenseOracle.Read(t) : null;

    /// <summary>Integers that older opsets keep in an attribute and newer ones in an input.</summary>
    public long[]? IntsOf(string attribute, int input) => Ints(attribute) ?? Optional(input)?.Integers;

    private AttributeProto? Find(string name) => node.Attribute.FirstOrDefault(a => a.Name == name);
}
