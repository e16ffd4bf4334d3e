using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Rules;

namespace MLNetLinearize.Linearization;

/// <summary>
/// The Jacobian column by column, without rules of its own. The adjoint of one cotangent, u ↦ (Wᵀu, bᵀu), is linear in u, and the
/// rules are closed under transposition: its own adjoint is (d, β) ↦ W·d + β·b. Fed with every unit vector as d, and once
/// with d = 0 and β = 1, it gives all columns of W, and b from the nodes' own offsets.
/// </summary>
internal static class ForwardMode
{
    /// <param name="tape">The network.</param>
    /// <param name="input">The tensor to differentiate by.</param>
    /// <param name="output">The tensor to differentiate; all of its elements.</param>
    /// <param name="rows">Number of rows, [1].</param>
    /// <param name="sources">As in <see cref="Adjoint.Run"/>.</param>
    /// <returns>W [N, C, d…], b [N, C], and the adjoint of one cotangent, which tells how the nodes were read.</returns>
    /// <exception cref="NotTransposableException">A node of the adjoint has no transpose.</exception>
    public static (AffineFactor Map, Adjoint Read) Emit(Tape tape, GraphInput input, string output, string rows, string[] sources)
    {
        var (network, e) = (tape.Network, tape.Emit);
        var (count, width) = (network.Shape(output).Count, network.Shape(input.Name).Count);
        var added = e.Graph.Nodes.Count;
        var cotangent = e.Graph.Fresh(GraphNames.Prefix + "cotangent");
        var adjoint = Adjoint.Run(tape, 1, [(output, new Finish(network, e, 1).Seed(cotangent, output))], sources);
        // A cotangent that passed every node unchanged must not be confused with what it is the cotangent of.
        var pulled = e.Op("Identity", [adjoint.Of(input.Name) ?? throw new NotTransposableException($"'{output}' has no slope in '{input.Name}'")]);
        var offset = adjoint.Offsets.Count == 0 ? null : e.Sum([.. adjoint.Offsets.Select(o => o.Term)]);

        var measured = Canonicalizer.Measured(network, cotangent, count) ?? throw new NotTransposableException($"the adjoint of '{output}' has no batch axis");
        string[] results = offset is null ? [pulled] : [pulled, offset];
        var active = Transposable(measured, cotangent, results);
        var vectors = checked((int)width + 1);
        var seeds = new List<(string, string)> { (pulled, new Finish(measured, e, vectors).Seed(e.Op("Expand", [e.Reshape(e.Eye(vectors, width), vectors, 1, width), e.Concat([e.Ints(1), rows, e.Ints(1)], 0)]), input.Name)) };
        if (offset is not null) seeds.Add((offset, e.Op("Expand", [e.Eye(vectors, 1, -width), e.Concat([e.Ints(vectors), e.Shape(offset)], 0)])));
        var columns = Transposed(new Tape(measured, e, active, Nonlinearity.Tangent, tape.Opset) { Singularities = Singularities.None }, vectors, seeds, cotangent);

        var map = e.Transpose(columns, 1, 2, 0); // [N, C, d + 1]
        var (weights, bias) = (e.Slice(map, 0, width, 2), e.Slice(map, width, width + 1, 2));
        var n = network.RowByRowReason is null ? -1 : 1;
        var factor = new AffineFactor([e.Reshape(weights, [n, count, .. input.RowShape.Select(d => (long)d)])], e.Reshape(bias, n, count));
        var fed = FreeOf(measured, e, cotangent, added, rows);
        if (fed.Contains(factor.Bias)) throw new NotTransposableException($"the forward mode of '{output}' depends on a cotangent");
        return (factor, adjoint);
    }

    private static string Transposed(Tape tape, int vectors, List<(string, string)> seeds, string cotangent)
    {
        try
        {
            return Adjoint.Run(tape, vectors, seeds).Of(cotangent) ?? throw new NotTransposableException("nothing reaches the cotangent");
        }
        catch (UnsupportedOperatorException e)
        {
            throw new NotTransposableException(e.Message);
        }
    }

    /// <summary>Tensors that are linear in the cotangent, on the way to the results.</summary>
    private static HashSet<string> Transposable(CanonicalNetwork network, string cotangent, string[] results)
    {
        var behind = results.SelectMany(r => ValueFlow.Behind(network.Graph, r)).ToHashSet();
        var active = ValueFlow.Reached(network.Graph, [cotangent], RuleTable.Stops);
        active.IntersectWith(behind);
        foreach (var node in network.Graph.Nodes.Where(n => n.OpType != "Shape" && n.Input.Any(active.Contains) && n.Output.Any(behind.Contains)))
        {
            // What only looks at a cotangent, such as a comparison with 0, is no linear map of it.
            if (RuleTable.Stops(node)) throw new NotTransposableException($"{node.Describe()} decides by a cotangent's value");
            if (Refusals.Objection(network.Graph, node, active) is { } why) throw new NotTransposableException($"{node.Describe()}: {why.Reason}");
        }
        return active;
    }

    /// <summary>
    /// Takes away what depends on the cotangent, which nobody feeds, and returns its tensors. Some nodes ask for the shape of one
    /// of them; that is known but for the number of rows, and written out.
    /// </summary>
    private static HashSet<string> FreeOf(CanonicalNetwork network, Emitter e, string cotangent, int added, string rows)
    {
        var fed = new HashSet<string> { cotangent };
        var nodes = e.Graph.Nodes;
        e.Graph.Nodes = [.. nodes.Take(added)];
        foreach (var node in nodes.Skip(added))
        {
            if (!node.Input.Any(fed.Contains)) e.Graph.Nodes.Add(node);
            else if (node.OpType == "Shape") WriteShape(e, network.Shape(node.Input[0]), rows, node.Output[0]);
            else fed.UnionWith(node.Output);
        }
        return fed;
    }

    private static void WriteShape(Emitter e, TensorShape shape, string rows, string name)
    {
        if (shape.HasBatch)
        {
            var batch = e.Mul(rows, e.Ints(shape.Dims[shape.BatchAxis]));
            e.Op("Concat", [e.Ints(shape.Dims.AsSpan(0, shape.BatchAxis)), batch, e.Ints(shape.Dims.AsSpan(shape.BatchAxis + 1))], name, ("axis", 0));
        }
        else e.Op("Identity", [e.Ints(shape.Dims)], name);
    }
}

/// <summary>Why an adjoint cannot be transposed, so that the Jacobian has to be accumulated in reverse mode.</summary>
internal sealed class NotTransposableException(string reason) : Exception(reason);
