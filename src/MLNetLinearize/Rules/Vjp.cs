using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;

namespace MLNetLinearize.Rules;

/// <summary>
/// The words in which a rule is written: a node's inputs and outputs, the cotangent <see cref="G"/> of its output, what it
/// gives to each input, and the offset it adds to the bias. A cotangent has the shape of its tensor behind a leading axis
/// of K targets, which is left out when K = 1 so that a single target costs no extra axis; <see cref="P"/> counts it.
/// </summary>
internal sealed class Vjp(CanonicalNetwork network, NodeProto node, Emitter emit, int targets, Nonlinearity mode, Func<string, bool> isActive, IReadOnlyList<string?> cotangents)
{
    private readonly List<(string Tensor, string Cotangent)> given = [];
    private readonly List<string> offsets = [];

    public NodeProto Node => node;

    public CanonicalNetwork Network => network;

    public Emitter E => emit;

    public Nonlinearity Mode => mode;

    /// <summary>Number of leading target axes of a cotangent: 0 or 1.</summary>
    public int P => targets > 1 ? 1 : 0;

    /// <summary>What the node gave: input tensor and cotangent.</summary>
    public IReadOnlyList<(string Tensor, string Cotangent)> Given => given;

    /// <summary>The node's terms of the bias, each [K, N] (or [N] when K = 1).</summary>
    public IReadOnlyList<string> Offsets => offsets;

    /// <summary>Whether <see cref="Nonlinearity.Frozen"/> was asked for and the rule had to take the tangent.</summary>
    public bool TookTangent { get; private set; }

    /// <summary>Says that the rule takes the tangent, whatever the mode; <see cref="Nonlinearity.Frozen"/> lists such nodes.</summary>
    public void TakeTangent() => TookTangent = mode == Nonlinearity.Frozen;

    /// <summary>Where numbers on the way may not be finite.</summary>
    public required Singularities Singularities { get; init; }

    /// <summary>Whether what the node makes may not be finite although the score is: those elements are left out later, and add 0.</summary>
    public bool MayBeInfinite => Singularities.MayBeInfinite(node.Output[0]);

    /// <summary>Whether a factor of 0 may meet ∞ in the node's rule.</summary>
    public bool IsGuarded => MayBeInfinite || Singularities.IsSteep(node.Output[0]) || Singularities.MayHaveInfiniteCotangent(node.Output[0]);

    /// <summary>The cotangent of output 0.</summary>
    public string G => cotangents[0]!;

    public IReadOnlyList<string?> Cotangents => cotangents;

    /// <summary>The value of input <paramref name="i"/>; quantized elements as the float numbers that they are.</summary>
    public string In(int i) => Numbers(node.Input[i]);

    public string Out(int i = 0) => Numbers(node.Output[i]);

    public bool HasInput(int i) => node.InputOrNull(i) is not null;

    /// <summary>Whether input <paramref name="i"/> depends on what is explained.</summary>
    public bool Active(int i) => node.InputOrNull(i) is { } name && IsActive(name);

    /// <summary>Whether a tensor of the network depends on what is explained.</summary>
    public bool IsActive(string tensor) => isActive(tensor);

    public TensorShape InShape(int i) => network.Shape(node.Input[i]);

    public TensorShape OutShape(int i = 0) => network.Shape(node.Output[i]);

    /// <summary>Whether input <paramref name="i"/> is held at its value for this row: a gate or a normaliser's statistic in <see cref="Nonlinearity.Frozen"/>.</summary>
    public bool IsHeld(int i)
    {
        var isHeld = mode == Nonlinearity.Frozen && Gates.IsGate(network.Graph, node.Input[i]);
        HeldFactor |= isHeld;
        return isHeld;
    }

    /// <summary>Whether the rule found a factor to be held.</summary>
    public bool HeldFactor { get; private set; }

    /// <summary>
    /// How much of a product's cotangent each of its two factors gets: all where it is a differential; in
    /// <see cref="Nonlinearity.Frozen"/> with both factors explained, none to a held one, else half to each.
    /// </summary>
    public (float First, float Second) Shares()
    {
        if (mode == Nonlinearity.Tangent || !Active(0) || !Active(1)) return (1, 1);
        return (IsHeld(0), IsHeld(1)) switch
        {
            (true, false) => (0, 1),
            (false, true) => (1, 0),
            _ => (0.5f, 0.5f),
        };
    }

    /// <summary>The stored integers of input <paramref name="i"/>; null where it is left out.</summary>
    /// <exception cref="RuleException">It is computed from the row.</exception>
    public long[]? ConstantInts(int i)
    {
        if (!HasInput(i)) return null;
        return network.Constant(node.Input[i])?.ToInt64() ?? throw new RuleException($"its input {i} '{node.Input[i]}' is computed from the row", "export the model so that it is a constant");
    }

    /// <summary>Adds <paramref name="cotangent"/> to the cotangent of input <paramref name="i"/>.</summary>
    public void Give(int i, string cotangent) => given.Add((node.Input[i], cotangent));

    /// <summary>
    /// A cotangent times a slope, or another number of the forward pass, where 0 times ∞ is 0: without a cotangent nothing is added, however
    /// steep the node is, and what does not vary adds nothing, however steep what follows it is.
    /// </summary>
    public string Times(string g, string factor)
    {
        var product = Singularities.IsSteep(node.Output[0]) ? TimesSteep(g, factor) : E.Mul(g, Finite(factor));
        return Singularities.MayHaveInfiniteCotangent(node.Output[0]) ? E.Op("Where", [E.Op("Equal", [factor, E.Scalar(0)]), E.Scalar(0), product]) : product;
    }

    /// <summary>
    /// The same with a factor that may be infinite. For ∞ stand three factors of 1e30 one after the other: they leave 0 as it is, and any
    /// other float32 overflows. What does so without looking at the cotangent has a transpose.
    /// </summary>
    private string TimesSteep(string g, string factor)
    {
        var isFinite = IsFinite(factor);
        var far = E.Op("Where", [isFinite, E.Scalar(1), E.Scalar(1e30f)]);
        // Where the factor is no number, neither is the node's value, and there is no cotangent.
        var steep = E.Op("Where", [E.Op("Equal", [factor, factor]), E.Scaled(E.Op("Sign", [factor]), 1e30f), E.Scalar(0)]);
        var first = E.Op("Where", [isFinite, factor, steep]);
        return E.Mul(E.Mul(E.Mul(g, first), far), far);
    }

    /// <summary>A slope times input <paramref name="i"/>, where 0 times ∞ is 0 as well.</summary>
    public string Applied(string slope, int i)
    {
        var product = E.Mul(slope, In(i));
        return Singularities.MayBeInfinite(node.Input[i]) || Singularities.IsSteep(node.Output[0]) ? WhereFinite(product, product) : product;
    }

    /// <summary>A number of the forward pass as a factor of a cotangent: 0 where it is not finite, if the node meets such, since the cotangent is 0 there.</summary>
    public string Finite(string tensor) => MayBeInfinite || node.Input.Any(Singularities.MayBeInfinite) ? WhereFinite(tensor, tensor) : tensor;

    /// <summary>Makes the node report output <paramref name="i"/> (such as MaxPool's indices) and returns its name.</summary>
    public string RequireOutput(int i)
    {
        while (node.Output.Count <= i) node.Output.Add("");
        if (node.Output[i].Length == 0) node.Output[i] = emit.Graph.Fresh($"{node.Output[0]}/output{i}");
        return node.Output[i];
    }

    /// <summary>Says that the rule computes the node's output on its way as well: where both are wanted, the node itself is left out.</summary>
    public void Restate(string value) => emit.Restate(node.Output[0], value);

    /// <summary>Adds a term to the bias of the one target.</summary>
    /// <param name="term">[N, 1].</param>
    public void Offset(string term) => offsets.Add(E.Squeeze(term, 1));

    /// <summary>Adds ⟨g, value⟩ to the bias: what the node adds that comes from no explained input.</summary>
    /// <param name="g">Cotangent of a tensor of shape <paramref name="shape"/>.</param>
    /// <param name="shape">Shape of that tensor.</param>
    /// <param name="value">The offset; broadcasts to <paramref name="shape"/>.</param>
    /// <param name="valueShape">Shape of the offset.</param>
    /// <param name="factor">A factor.</param>
    public void Offset(string g, TensorShape shape, string value, TensorShape valueShape, float factor = 1)
    {
        // Where the offset is broadcast, the cotangent is summed first: a convolution's bias meets a [C] vector, not a map.
        // What may not be finite meets it element by element.
        var isGuarded = IsGuarded || Singularities.MayBeInfinite(value);
        int[] reduced = isGuarded ? [] : [.. Enumerable.Range(0, shape.Rank).Where(i => i != shape.BatchAxis && IsBroadcast(shape, valueShape, i))];
        List<int> rest = [.. Enumerable.Range(0, shape.Rank).Where(i => i != shape.BatchAxis && !reduced.Contains(i))];
        if (!isGuarded && shape.BatchAxis == 0 && shape.Dims[0] == 1 && !valueShape.HasBatch && valueShape.Count == rest.Aggregate(1L, (a, i) => a * shape.Dims[i]))
        {
            offsets.Add(P == 0 && reduced is [2, 3] && BlockedLayout.MeanOfEachChannel(E, g, shape) is { } means ? ScalarProduct(means, shape.Dims[2] * shape.Dims[3]) : ScalarProduct(Met(), 1));
            return;
        }
        if (Singularities.MayBeInfinite(value)) value = WhereFinite(value, value);
        var product = Times(Met(), value);
        offsets.Add(E.Scaled(PerRow(E.ReduceSum(product, [.. rest.Select(i => (long)i + P)]), shape), factor));

        string Met() => E.ReduceSum(g, [.. reduced.Select(i => (long)i + P)]);

        // One product of a vector and a matrix instead of products and their sum; ONNX Runtime is slow with the vector on the right.
        // A node at a time: of very different sizes as the nodes' terms are, one sum of all their products would be less exact.
        string ScalarProduct(string met, float times)
        {
            var rows = P == 0 && shape.Rank == 2 ? met : E.Reshape(met, -1, valueShape.Count);
            return E.Reshape(E.Op("Gemm", [E.Scaled(E.Reshape(value, 1, valueShape.Count), times * factor), rows], ("transB", 1L)), Prefixed([-1]));
        }
    }

    /// <summary>As <see cref="Offset(string, TensorShape, string, TensorShape, float)"/>, for an input that broadcasts to the output.</summary>
    public void OffsetInput(int i, float factor = 1) => Offset(G, OutShape(), In(i), InShape(i), factor);

    /// <summary>Sums a cotangent over the axes along which <paramref name="to"/> was broadcast to <paramref name="from"/>.</summary>
    public string Unbroadcast(string g, TensorShape from, TensorShape to)
    {
        var axes = Enumerable.Range(0, from.Rank).Where(i => IsBroadcast(from, to, i)).Select(i => (long)i + P).ToArray();
        return from.Rank == to.Rank ? E.ReduceSum(g, axes) : ReshapeTo(E.ReduceSum(g, axes), to);
    }

    /// <summary>A cotangent reshaped to that of a tensor of shape <paramref name="to"/>.</summary>
    public string ReshapeTo(string g, TensorShape to) => E.Reshape(g, Prefixed(to.Open));

    /// <summary>The same of a cotangent of a tensor of shape <paramref name="from"/>.</summary>
    public string ReshapeTo(string g, TensorShape to, TensorShape from) => E.Reshape(g, Prefixed(to.OpenFrom(from)));

    /// <summary>A cotangent with size-1 axes, stretched to that of a tensor of shape <paramref name="to"/>.</summary>
    public string ExpandTo(string g, TensorShape to) => E.Op("Expand", [g, E.Ints([.. Enumerable.Repeat((long)targets, P), .. to.Dims.Select((d, i) => i == to.BatchAxis ? 1 : d)])]);

    /// <summary>A zero cotangent for <paramref name="tensor"/>.</summary>
    public string Zeros(string tensor)
    {
        var shape = network.Shape(tensor);
        if (!shape.HasBatch) return E.Zeros(E.Ints(Prefixed(shape.Dims)));
        return E.Zeros(P == 0 ? E.Shape(tensor) : E.Concat([E.Ints(targets), E.Shape(tensor)], 0));
    }

    /// <summary>Targets and rows merged into one leading axis, as convolutions take it.</summary>
    public string Fold(string g, TensorShape shape)
    {
        if (shape.BatchAxis > 0) throw new RuleException($"its batch axis is {shape.BatchAxis}", "move the batch axis to the front");
        return P == 0 ? g : E.Reshape(g, [-1, .. shape.Dims.Skip(1)]);
    }

    /// <summary>The reverse of <see cref="Fold"/>.</summary>
    public string Unfold(string g, TensorShape shape) => P == 0 ? g : ReshapeTo(g, shape);

    /// <summary>A list of dimensions behind the target axis.</summary>
    public long[] Prefixed(IEnumerable<long> dims) => [.. Enumerable.Repeat((long)targets, P), .. dims];

    /// <summary><paramref name="then"/> where a tensor of the forward pass is finite, else 0.</summary>
    private string WhereFinite(string tensor, string then) => E.Op("Where", [IsFinite(tensor), then, E.Scalar(0)]);

    /// <summary>∞ − ∞ is no number, and equals none.</summary>
    private string IsFinite(string tensor) => E.Op("Equal", [E.Sub(tensor, tensor), E.Scalar(0)]);

    private string Numbers(string tensor) => network.IsKnown(tensor) && Quantization.IsQuantized(network.Type(tensor)) ? E.Cast(tensor, TensorProto.Types.DataType.Float) : tensor;

    private string PerRow(string g, TensorShape shape)
    {
        if (!shape.HasBatch) return E.Reshape(g, Prefixed([1]));
        var perRow = shape.Dims[shape.BatchAxis];
        if (perRow == 1) return E.Reshape(g, Prefixed([-1]));
        return E.Reshape(E.ReduceSum(E.Reshape(g, Prefixed([perRow / shape.Block, -1, shape.Block])), P, P + 2), Prefixed([-1]));
    }

    /// <summary>Whether axis <paramref name="i"/> of <paramref name="from"/> is one along which <paramref name="to"/> repeats.</summary>
    private static bool IsBroadcast(TensorShape from, TensorShape to, int i)
    {
        var j = i - (from.Rank - to.Rank);
        if (j < 0) return true;
        if (from.BatchAxis == i) return to.BatchAxis != j;
        return to.Dims[j] == 1 && from.Dims[i] != 1;
    }
}

/// <summary>A node that its operator's rule cannot take; collected with the others into one error.</summary>
internal sealed class RuleException(string reason, string remedy) : Exception(reason)
{
    public string Remedy { get; } = remedy;
}
