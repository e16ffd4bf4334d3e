using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Rules;

namespace MLNetLinearize.Linearization;

/// <summary>
/// Reverse accumulation: walks the network backwards, gives each node's rule the cotangent of its output and sums what the
/// rules give to the same tensor. Every node's own offset, met with its cotangent, is one term of the bias.
/// </summary>
internal sealed class Adjoint
{
    private readonly Dictionary<string, List<string>> cotangents = [];
    private readonly Dictionary<string, string> sums = [];
    private readonly Emitter emit;
    private readonly Func<string, string> zeros;

    private Adjoint(Emitter emit, Func<string, string> zeros) => (this.emit, this.zeros) = (emit, zeros);

    /// <summary>Terms of the bias by node, each [K, N], or [N] when K = 1.</summary>
    public List<(NodeProto Node, string Term)> Offsets { get; } = [];

    /// <summary>Nodes that <see cref="Nonlinearity.Frozen"/> has no secant for, and that were read by their tangent.</summary>
    public List<NodeProto> Tangents { get; } = [];

    /// <summary>How each node that is not affine on its piece was read, by its name.</summary>
    public Dictionary<string, string> ReadingByNode { get; } = [];

    /// <param name="network">The forward network; its graph receives the adjoint's nodes.</param>
    /// <param name="emit">Writes to that graph.</param>
    /// <param name="output">The explained tensor.</param>
    /// <param name="seed">Its cotangent.</param>
    /// <param name="active">Tensors that depend on what is explained.</param>
    /// <param name="targets">K.</param>
    /// <param name="mode">How smooth operators are read.</param>
    /// <param name="opset">The file's opset, for errors.</param>
    /// <exception cref="UnsupportedOperatorException">Rules that turn out not to apply, all in one error.</exception>
    public static Adjoint Run(CanonicalNetwork network, Emitter emit, string output, string seed, IReadOnlySet<string> active, int targets, Nonlinearity mode, long opset)
    {
        var maker = network.Graph.Nodes.First(n => n.Output.Contains(output));
        var end = new Vjp(network, maker, emit, targets, mode, active.Contains, [seed]);
        var adjoint = new Adjoint(emit, end.Zeros);
        adjoint.cotangents[output] = [seed];
        if (!active.Contains(output))
        {
            // Piecewise constant in all that is explained: the whole score is bias.
            end.Offset(seed, network.Shape(output), output, network.Shape(output));
            adjoint.Offsets.AddRange(end.Offsets.Select(o => (maker, o)));
        }
        var refused = new List<UnsupportedNode>();
        foreach (var node in Enumerable.Reverse(network.Graph.Nodes.ToList()))
        {
            if (!node.Output.Any(o => active.Contains(o) && adjoint.cotangents.ContainsKey(o)) || !node.Input.Any(active.Contains)) continue;
            var vjp = new Vjp(network, node, emit, targets, mode, active.Contains, [.. node.Output.Select(adjoint.Of)]);
            try
            {
                if (node.OpType != "Split" && node.Output.Skip(1).FirstOrDefault(o => active.Contains(o) && adjoint.cotangents.ContainsKey(o)) is { } second)
                    throw new RuleException($"its output '{second}' is used as well, and only the first has a rule", "export the model without that use");
                var apply = RuleTable.Find(node)!.Apply ?? throw new RuleException("what it reads or makes cannot be told before it runs", "export the model without it");
                apply(vjp);
            }
            catch (RuleException e)
            {
                refused.Insert(0, node.Unsupported(opset, (e.Message, e.Remedy)));
                continue;
            }
            foreach (var (tensor, cotangent) in vjp.Given)
            {
                if (!adjoint.cotangents.TryGetValue(tensor, out var terms)) adjoint.cotangents[tensor] = terms = [];
                terms.Add(cotangent);
            }
            adjoint.ReadingByNode[node.Name] = Readings.Of(vjp);
            if (vjp.TookTangent) adjoint.Tangents.Add(node);
            adjoint.Offsets.AddRange(vjp.Offsets.Select(o => (node, o)));
        }
        if (refused.Count > 0) throw new UnsupportedOperatorException(refused);
        return adjoint;
    }

    /// <summary>The cotangent of a tensor; zeros where the output depends on it through operators of slope 0 only.</summary>
    public string OfOrZero(string tensor) => Of(tensor) ?? zeros(tensor);

    /// <summary>The cotangent of a tensor: the sum of what its readers gave; null where none did.</summary>
    public string? Of(string tensor)
    {
        if (!cotangents.TryGetValue(tensor, out var terms)) return null;
        if (!sums.TryGetValue(tensor, out var sum)) sums[tensor] = sum = emit.Sum(terms);
        return sum;
    }
}
