using MLNetLinearize.Onnx;

namespace MLNetLinearize.Linearization;

/// <summary>Writes W and b of the explained targets, the factors of the Jacobian multiplied in a chosen order.</summary>
internal sealed class Accumulator(Tape tape, TargetSeed seed, Targets kind, int targets, IReadOnlyList<GraphInput> explained, ActivePath path)
{
    private readonly HashSet<NodeProto> tangents = new(ReferenceEqualityComparer.Instance);

    /// <summary>Nodes that <see cref="Nonlinearity.Frozen"/> has no secant for, in the network's order.</summary>
    public IEnumerable<NodeProto> Tangents => tape.Network.Graph.Nodes.Where(tangents.Contains);

    /// <summary>How each node that is not affine on its piece was read, by its name.</summary>
    public Dictionary<string, string> ReadingByNode { get; } = [];

    /// <param name="order">The order.</param>
    /// <param name="output">The explained tensor.</param>
    /// <exception cref="NotTransposableException">The order uses forward mode, and an adjoint has no transpose.</exception>
    public AffineFactor Run(JacobianAccumulation order, string output)
    {
        if (order.CutTensor is null) return Behind(order.Mode, output, explained, []);
        var cut = Compiler.Inner(tape.Network, order.CutTensor);
        var head = Behind(order.Mode, output, [cut], [cut.Name]);
        var tail = order.ModeBeforeCut == AccumulationMode.Forward
            ? Forward(explained[0], cut.Name, [])
            : Reverse(cut.Name, Unit(cut.RowLength), cut.RowLength, explained, []);
        return head.After(tape.Emit, tail, targets, cut.RowLength, explained.Select(i => i.RowShape), tape.Network.RowByRowReason is null ? -1 : 1);
    }

    /// <summary>The explained targets by <paramref name="inputs"/>.</summary>
    private AffineFactor Behind(AccumulationMode mode, string output, IReadOnlyList<GraphInput> inputs, string[] sources)
    {
        if (mode == AccumulationMode.Reverse) return Reverse(output, seed, targets, inputs, sources);
        var all = Forward(inputs[0], output, sources);
        return kind.Kind == TargetKind.All ? all : all.Picked(tape.Emit, seed.Targets, targets, inputs[0].RowShape);
    }

    /// <summary>Every element of a tensor of <paramref name="width"/> elements a row.</summary>
    private TargetSeed Unit(int width) => new(TargetSeed.AnyRow(tape.Emit, tape.Emit.Eye(width, width), width, width), seed.Targets, seed.Scores, IsUniform: true) { IsUnit = true };

    private AffineFactor Reverse(string output, TargetSeed from, int vectors, IReadOnlyList<GraphInput> inputs, string[] sources)
    {
        if (vectors == 1 || !TargetsApart.Suits(tape, output, sources)) return ReadOff(Walk(output, from, vectors, sources), vectors, inputs);
        // Dense layers behind the last image carry all targets as the rows of one product, and read their weights once.
        var images = path.LastImages(output, inputs.Select(i => i.Name), tape.Network) ?? output;
        var head = images == output ? null : Walk(output, from, vectors, [images]);
        var cotangents = head?.OfOrZero(images) ?? FinishOf(vectors).Seed(from.EveryRow(tape.Emit), output);
        var areUnits = from.IsUnit && path.IsVectorOf(output, images, tape.Network);
        var map = new TargetsApart(tape, areUnits, g => ReadOff(Adjoint.Run(tape, 1, [(images, g)], sources), 1, inputs))
            .Emit(cotangents, vectors, tape.Network.Shape(images), [.. inputs.Select(i => i.RowShape)]);
        return head is null ? map : map with { Bias = tape.Emit.Add(map.Bias, Bias(head, vectors)) };
    }

    private Adjoint Walk(string output, TargetSeed from, int vectors, string[] sources)
    {
        var finish = FinishOf(vectors);
        return from.IsUniform && UniformCotangents.Fit(tape.Network, tape.Active, output)
            ? Adjoint.RunUniform(tape, vectors, [(output, finish.Seed(from.Cotangent, output))], sources)
            : Adjoint.Run(tape, vectors, [(output, finish.Seed(from.EveryRow(tape.Emit), output))], sources);
    }

    private AffineFactor ReadOff(Adjoint adjoint, int vectors, IReadOnlyList<GraphInput> inputs)
    {
        var finish = FinishOf(vectors);
        var shared = inputs is [var only] && adjoint.Shared(only.Name) is { } same ? tape.Emit.Reshape(same, vectors, only.RowLength) : null;
        string[] cotangents = [.. inputs.Select(i => adjoint.OfOrZero(i.Name))];
        return new([.. inputs.Zip(cotangents, (i, g) => finish.Weights(g, i.Name, i.RowShape))], Bias(adjoint, vectors)) { Shared = shared, Cotangents = vectors == 1 ? cotangents : [] };
    }

    private string Bias(Adjoint adjoint, int vectors)
    {
        Note(adjoint);
        var bias = FinishOf(vectors).Bias([.. adjoint.Offsets.Select(o => o.Term)], Rows());
        return adjoint.HasUniformOffsets ? tape.Emit.Op("Expand", [bias, tape.Emit.Concat([Rows(), tape.Emit.Ints(1)], 0)]) : bias;
    }

    private AffineFactor Forward(GraphInput input, string output, string[] sources)
    {
        var (map, read) = ForwardMode.Emit(tape, input, output, Rows(), sources);
        Note(read);
        return map;
    }

    private void Note(Adjoint adjoint)
    {
        tangents.UnionWith(adjoint.Tangents);
        foreach (var (node, reading) in adjoint.ReadingByNode) ReadingByNode[node] = reading;
    }

    private Finish FinishOf(int vectors) => new(tape.Network, tape.Emit, vectors);

    /// <summary>Number of rows, [1].</summary>
    private string Rows() => tape.Emit.Slice(tape.Emit.Shape(seed.Scores), 0, 1, 0);
}
