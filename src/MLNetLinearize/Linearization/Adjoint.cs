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

    private Adjoint(Emitter emit) => this.emit = emit;

    /// <summary>Terms of the bias by node, each [K, N], or [N] when K = 1.</summary>
    public List<(NodeProto Node, string Term)> Offsets { get; } = [];

    /// <summary>Nodes that <see cref="Nonlinearity.Frozen"/> has no secant for, and that were read by their tangent.</summary>
    public List<NodeProto> Tangents { get; } = [];

    /// <summary>
    /// Tensors through which all influence passes, from the explained tensor to its inputs, each with the number of
    /// <see cref="Offsets"/> that lie behind it. At each of them, score = ⟨cotangent, tensor⟩ + those offsets: a node's
    /// rule exchanges ⟨cotangent, output⟩ for its inputs' share and its offset, and nothing else is open there.
    /// </summary>
    public List<(string Tensor, int Offsets)> Cuts { get; } = [];

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
        var adjoint = new Adjoint(emit);
        adjoint.cotangents[output] = [seed];
        adjoint.Cuts.Add((output, 0));
        var open = new HashSet<string> { output };
        var refused = new List<UnsupportedNode>();
        foreach (var node in Enumerable.Reverse(network.Graph.Nodes.ToList()))
        {
            if (!node.Output.Any(o => active.Contains(o) && adjoint.cotangents.ContainsKey(o)) || !node.Input.Any(active.Contains)) continue;
            var vjp = new Vjp(network, node, emit, targets, mode, active.Contains, [.. node.Output.Select(adjoint.Of)]);
            try
            {
                if (node.OpType != "Split" && node.Output.Skip(1).FirstOrDefault(o => active.Contains(o) && adjoint.cotangents.ContainsKey(o)) is { } second)
                    throw new RuleException($"its output '{second}' is used as well, and only the first has a rule", "export the model without that use");
                RuleTable.Find(node)!.Apply!(vjp);
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
            if (vjp.TookTangent) adjoint.Tangents.Add(node);
            adjoint.Offsets.AddRange(vjp.Offsets.Select(o => (node, o)));
            open.ExceptWith(node.Output);
            open.UnionWith(vjp.Given.Select(g => g.Tensor).Where(active.Contains));
            if (open.Count == 1) adjoint.Cuts.Add((open.Single(), adjoint.Offsets.Count));
        }
        if (refused.Count > 0) throw new UnsupportedOperatorException(refused);
        return adjoint;
    }

    /// <summary>The cotangent of a tensor: the sum of what its readers gave; null where none did.</summary>
    public string? Of(string tensor)
    {
        if (!cotangents.TryGetValue(tensor, out var terms)) return null;
        if (!sums.TryGetValue(tensor, out var sum)) sums[tensor] = sum = emit.Sum(terms);
        return sum;
    }
}
