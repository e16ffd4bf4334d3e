using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Rules;

namespace MLNetLinearize.Linearization;

/// <summary>
/// Counts the multiply-adds of every order in which a Jacobian can be accumulated with at most one cut, and takes the least.
/// A pass over a part of the network costs that part's own multiply-adds for each vector it carries, in either direction;
/// forward mode carries one more, the offsets that make the bias; the product of two factors is a matrix product. What is the
/// same for every row is computed once, when a session opens, and not counted.
/// </summary>
internal sealed class AccumulationChoice
{
    /// <summary>
    /// Share of reverse mode's multiply-adds that another order may take: products of factors and their axes move memory that
    /// multiply-adds do not count.
    /// </summary>
    private const double WorthIt = 0.75;

    private readonly long[] work;
    private readonly long[] elements;
    private readonly long targets;
    private readonly long width;
    private readonly bool hasOneInput;
    private readonly int affineFrom;

    /// <param name="network">The network.</param>
    /// <param name="request">What is explained.</param>
    /// <param name="active">Tensors that depend on what is explained.</param>
    /// <param name="explained">Explained inputs.</param>
    /// <param name="targets">K.</param>
    public AccumulationChoice(CanonicalNetwork network, Request request, IReadOnlySet<string> active, IReadOnlyList<GraphInput> explained, int targets)
    {
        Path = ActivePath.Find(network, request, active);
        work = Running(Path.Nodes.Select(n => NodeCost.MultiplyAdds(network, n) * Factors(n, active)));
        elements = Running(Path.Nodes.Select(n => n.Output.Where(active.Contains).Sum(o => network.Shape(o).Count)));
        this.targets = targets;
        width = explained.Sum(i => (long)i.RowLength);
        hasOneInput = explained.Count == 1;
        affineFrom = TargetSeed.IsSame(request.Targets.Kind) && UniformCotangents.Fit(network, active, request.Output)
            ? Path.Nodes.ToList().FindLastIndex(n => !UniformCotangents.Stays(n) || !UniformCotangents.Passes(network, active, n)) + 1
            : int.MaxValue;
    }

    /// <summary>What is accumulated along.</summary>
    public ActivePath Path { get; }

    /// <summary>Reverse mode, which every network takes.</summary>
    public JacobianAccumulation Reverse => Whole(AccumulationMode.Reverse);

    /// <summary>The order of least work; reverse mode unless another is well below.</summary>
    /// <param name="withForward">Whether forward mode may be part of it.</param>
    public JacobianAccumulation Best(bool withForward)
    {
        if (targets == 1) return Reverse;
        var best = All().Where(a => withForward || !UsesForward(a)).MinBy(a => a.MultiplyAdds)!;
        return best.MultiplyAdds <= WorthIt * Reverse.MultiplyAdds ? best : Reverse;
    }

    /// <summary>Every order with at most one cut.</summary>
    public IEnumerable<JacobianAccumulation> All()
    {
        AccumulationMode[] modes = [AccumulationMode.Reverse, AccumulationMode.Forward];
        var first = modes.Where(m => hasOneInput || m == AccumulationMode.Reverse).ToList();
        return first.Select(Whole).Concat(
            from cut in Path.Cuts
            from mode in modes
            from before in first
            select At(cut, mode, before));
    }

    public static bool UsesForward(JacobianAccumulation order) => order.Mode == AccumulationMode.Forward || order.ModeBeforeCut == AccumulationMode.Forward;

    private JacobianAccumulation Whole(AccumulationMode mode)
    {
        var vectors = Vectors(mode, targets, width);
        return Order(mode, vectors * work[^1], vectors * elements[^1]);
    }

    private JacobianAccumulation At(Cut cut, AccumulationMode mode, AccumulationMode before)
    {
        var (head, tail) = (Vectors(mode, targets, cut.Width), Vectors(before, cut.Width, width));
        if (mode == AccumulationMode.Reverse && cut.Position >= affineFrom) head = 0;
        var multiplyAdds = head * (work[^1] - work[cut.Position]) + tail * work[cut.Position] + targets * cut.Width * (width + 1);
        var held = head * (elements[^1] - elements[cut.Position]) + tail * elements[cut.Position] + cut.Width * (targets + width);
        return Order(mode, multiplyAdds, held) with { CutTensor = cut.Tensor, CutWidth = (int)cut.Width, ModeBeforeCut = before };
    }

    private JacobianAccumulation Order(AccumulationMode mode, long multiplyAdds, long held) =>
        new() { Mode = mode, MultiplyAdds = multiplyAdds, ReverseMultiplyAdds = targets * work[^1], Elements = held };

    private static long Vectors(AccumulationMode mode, long outputs, long inputs) => mode == AccumulationMode.Reverse ? outputs : inputs + 1;

    /// <summary>A product of two tensors that both depend on what is explained has two products as its differential.</summary>
    private static long Factors(NodeProto node, IReadOnlySet<string> active) =>
        RuleTable.Find(node)?.Kind == RuleKind.Bilinear ? Math.Max(1, node.Input.Take(2).Count(active.Contains)) : 1;

    private static long[] Running(IEnumerable<long> values)
    {
        var sum = 0L;
        return [0, .. values.Select(v => sum += v)];
    }
}
