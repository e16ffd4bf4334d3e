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
    private readonly UniformCotangents uniform;
    private readonly Tape tape;
    private readonly int targets;
    private string? start;
    private int uniformOffsets;

    private Adjoint(Tape tape, int targets) => (this.tape, this.targets, uniform) = (tape, targets, new(tape));

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

    /// <summary>How each node that is not affine on its piece was read, by its name.</summary>
    public Dictionary<string, string> ReadingByNode { get; } = [];

    /// <summary>Whether all <see cref="Offsets"/> may be the same for every row, and have 1 for N.</summary>
    public bool HasUniformOffsets => Offsets.Count > 0 && uniformOffsets == Offsets.Count;

    /// <summary>
    /// As <see cref="Run"/>, from cotangents that are the same for every row and have 1 for N. They stay so through the affine
    /// end of the network, which ONNX Runtime then computes once, when a session opens.
    /// </summary>
    public static Adjoint RunUniform(Tape tape, int targets, IEnumerable<(string Tensor, string Cotangent)> seeds, params ReadOnlySpan<string> sources) =>
        Walk(tape, targets, seeds, true, sources);

    /// <param name="tape">The nodes to walk over.</param>
    /// <param name="targets">Cotangents a row, K.</param>
    /// <param name="seeds">Tensors to start from, and their cotangents.</param>
    /// <param name="sources">Tensors to stop at: what makes them is not walked over.</param>
    /// <exception cref="UnsupportedOperatorException">Rules that turn out not to apply, all in one error.</exception>
    public static Adjoint Run(Tape tape, int targets, IEnumerable<(string Tensor, string Cotangent)> seeds, params ReadOnlySpan<string> sources) =>
        Walk(tape, targets, seeds, false, sources);

    private static Adjoint Walk(Tape tape, int targets, IEnumerable<(string Tensor, string Cotangent)> seeds, bool areUniform, ReadOnlySpan<string> sources)
    {
        var (network, active) = (tape.Network, tape.Active);
        var adjoint = new Adjoint(tape, targets);
        foreach (var (tensor, cotangent) in seeds)
        {
            if (areUniform) adjoint.uniform.Add(cotangent);
            adjoint.Start(tensor, cotangent);
        }
        var open = adjoint.cotangents.Keys.ToHashSet();
        if (open.Count == 1) adjoint.Cuts.Add((open.Single(), 0));
        HashSet<string> stops = [.. sources];
        var refused = new List<UnsupportedNode>();
        foreach (var node in Enumerable.Reverse(network.Graph.Nodes.ToList()))
        {
            if (!node.Output.Any(o => active.Contains(o) && adjoint.cotangents.ContainsKey(o)) || !node.Input.Any(active.Contains) || node.Output.Any(stops.Contains)) continue;
            var isUniform = adjoint.Shared(node.Output[0]) is not null && UniformCotangents.Passes(network, active, node);
            var vjp = adjoint.VjpOf(node, isUniform ? [adjoint.Summed(node.Output[0])] : [.. node.Output.Select(adjoint.Of)]);
            try
            {
                if (node.OpType != "Split" && node.Output.Skip(1).FirstOrDefault(o => active.Contains(o) && adjoint.cotangents.ContainsKey(o)) is { } second)
                    throw new RuleException($"its output '{second}' is used as well, and only the first has a rule", "export the model without that use");
                var apply = RuleTable.Find(node)!.Apply ?? throw new RuleException("what it reads or makes cannot be told before it runs", "export the model without it");
                apply(vjp);
            }
            catch (RuleException e)
            {
                refused.Insert(0, node.Unsupported(tape.Opset, (e.Message, e.Remedy)));
                continue;
            }
            tape.Emit.SingleChannels.Pass(vjp);
            tape.Emit.PickedChannels.Pass(vjp);
            if (isUniform) adjoint.uniformOffsets += vjp.Offsets.Count;
            foreach (var (tensor, cotangent) in vjp.Given)
            {
                if (isUniform && UniformCotangents.Stays(node)) adjoint.uniform.Add(cotangent);
                if (!adjoint.cotangents.TryGetValue(tensor, out var terms)) adjoint.cotangents[tensor] = terms = [];
                terms.Add(cotangent);
            }
            adjoint.ReadingByNode[node.Name] = Readings.Of(vjp);
            if (vjp.TookTangent) adjoint.Tangents.Add(node);
            adjoint.Offsets.AddRange(vjp.Offsets.Select(o => (node, o)));
            open.ExceptWith(node.Output);
            open.UnionWith(vjp.Given.Select(g => g.Tensor).Where(active.Contains));
            if (open.Count == 1) adjoint.Cuts.Add((open.Single(), adjoint.Offsets.Count));
        }
        if (refused.Count > 0) throw new UnsupportedOperatorException(refused);
        return adjoint;
    }

    /// <summary>The cotangent of a tensor; zeros where the output depends on it through operators of slope 0 only.</summary>
    public string OfOrZero(string tensor) => Of(tensor) ?? VjpOf(Maker(start!), []).Zeros(tensor);

    /// <summary>The cotangent of a tensor: the sum of what its readers gave; null where none did.</summary>
    public string? Of(string tensor)
    {
        if (Shared(tensor) is not { } sum) return Summed(tensor);
        cotangents[tensor] = [sums[tensor] = uniform.Repeated(tensor, sum)];
        return sums[tensor];
    }

    /// <summary>The cotangent of a tensor as [K, 1, d…] where it is the same for every row; null where it may not be.</summary>
    public string? Shared(string tensor) => Summed(tensor) is { } sum && uniform.Contains(sum) ? sum : null;

    private string? Summed(string tensor)
    {
        if (!cotangents.TryGetValue(tensor, out var terms)) return null;
        if (sums.TryGetValue(tensor, out var known)) return known;
        var sum = sums[tensor] = tape.Emit.Interleaved.Sum(tape.Emit, terms);
        if (terms.TrueForAll(uniform.Contains)) uniform.Add(sum);
        return sum;
    }

    private void Start(string tensor, string cotangent)
    {
        cotangents[tensor] = [cotangent];
        start ??= tensor;
        if (tape.Active.Contains(tensor)) return;
        // Piecewise constant in all that is explained: the whole score is bias.
        var (maker, shape) = (Maker(tensor), tape.Network.Shape(tensor));
        var end = VjpOf(maker, [cotangent]);
        end.Offset(cotangent, shape, tensor, shape);
        Offsets.AddRange(end.Offsets.Select(o => (maker, o)));
    }

    private NodeProto Maker(string tensor) => tape.Network.Graph.Nodes.First(n => n.Output.Contains(tensor));

    private Vjp VjpOf(NodeProto node, string?[] outputs) => new(tape.Network, node, tape.Emit, targets, tape.Mode, tape.Active.Contains, outputs) { Singularities = tape.Singularities };
}
