using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Rules;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Linearization;

/// <summary>
/// The reverse pass of several targets as one pass for each. Dense layers carry all of them as the rows of one matrix product; a
/// convolution gains nothing from that, while the masks between two convolutions, which serve all targets, would be
/// broadcast, for which ONNX Runtime leaves its blocked layout. Many targets go through a loop, a few at a time, so that neither
/// the graph nor the memory in use grows with them.
/// </summary>
/// <param name="tape">The network.</param>
/// <param name="areUnits">Whether every target is one channel of [N, C, 1…], the same for every row.</param>
/// <param name="reverse">Writes the reverse pass of one cotangent [N, d…].</param>
internal sealed class TargetsApart(Tape tape, bool areUnits, Func<string, AffineFactor> reverse)
{
    /// <summary>What the names of the nodes begin with that join targets, or take them through a loop.</summary>
    public const string NodeName = GraphNames.Prefix + "node/targets";

    /// <summary>Most targets that are written out.</summary>
    private const int MostWithoutLoop = 16;

    /// <summary>Targets of one turn of the loop, which makes the masks anew.</summary>
    private const int PerTurn = 8;

    private readonly Emitter e = tape.Emit;

    /// <summary>Whether cotangents pass through a convolution of images on the way from <paramref name="output"/> to <paramref name="sources"/>.</summary>
    public static bool Suits(Tape tape, string output, IReadOnlyCollection<string> sources)
    {
        var passed = new HashSet<string> { output };
        foreach (var node in Enumerable.Reverse(tape.Network.Graph.Nodes))
        {
            if (!node.Output.Any(passed.Contains) || node.Output.Any(sources.Contains)) continue;
            passed.UnionWith(node.Input.Where(tape.Active.Contains));
            if (node.OpType == "Conv" && passed.Contains(node.Input[0]) && tape.Network.Shape(node.Output[0]).Rank == 4) return true;
        }
        return false;
    }

    /// <summary>The map of all targets.</summary>
    /// <param name="cotangents">[K, N, d…].</param>
    /// <param name="targets">K.</param>
    /// <param name="shape">Shape of the tensor whose cotangents they are.</param>
    /// <param name="inputs">Row shapes of the explained inputs.</param>
    public AffineFactor Emit(string cotangents, int targets, TensorShape shape, IReadOnlyList<IReadOnlyList<int>> inputs) =>
        targets <= MostWithoutLoop ? Each(cotangents, targets, inputs) : Loop(cotangents, targets, shape, inputs);

    private AffineFactor Each(string cotangents, int targets, IReadOnlyList<IReadOnlyList<int>> inputs)
    {
        var each = Enumerable.Range(0, targets).Select(k => reverse(Target(cotangents, k))).ToList();
        return new([.. inputs.Select((row, i) => Images(row, i) ?? Joined(each.Select(m => m.Weights[i])))], Joined(each.Select(m => m.Bias)));

        string? Images(IReadOnlyList<int> row, int i) =>
            row.Count == 3 && e.Interleaved.JoinAll(e, [.. each.Select(m => m.Cotangents[i])], Joined) is { } images ? e.Reshape(images, [Rows, targets, .. row.Select(d => (long)d)]) : null;
    }

    private string Target(string cotangents, long k)
    {
        var target = e.Squeeze(e.Slice(cotangents, k, k + 1, 0), 0);
        if (areUnits) e.SingleChannels.Mark(target, e.Reshape(e.Op("ArgMax", [e.Slice(target, 0, 1, 0)], ("axis", 1)), 1));
        return target;
    }

    private long Rows => tape.Network.RowByRowReason is null ? -1 : 1;

    private string Joined(IEnumerable<string> parts)
    {
        var joined = e.Graph.Fresh($"{GraphNames.Prefix}Concat");
        e.Graph.Nodes.Add(Nodes.Create("Concat", parts, [joined], e.Graph.Fresh(NodeName), ("axis", 1)));
        return joined;
    }

    private AffineFactor Loop(string cotangents, int targets, TensorShape shape, IReadOnlyList<IReadOnlyList<int>> inputs)
    {
        object rows = tape.Network.RowByRowReason is null ? BatchAxis.Symbol : 1L;
        var turns = (targets + PerTurn - 1) / PerTurn;
        var added = e.Graph.Nodes.Count;
        var turn = e.Graph.Fresh($"{GraphNames.Prefix}targets");
        var map = Each(turn, PerTurn, inputs);
        var body = new LoopBody(e, added, turn);
        var (n, apart) = (body.Graph, turns * PerTurn - targets);
        n.Input.Add(Graph.Value(turn, DataType.Float, [PerTurn, .. shape.Dims.Select((d, i) => i == shape.BatchAxis ? rows : d)]));
        foreach (var (result, row) in map.Weights.Zip(inputs).Append((map.Bias, [])))
            n.Output.Add(Graph.Value(body.Result(result), DataType.Float, [rows, PerTurn, .. row.Select(d => (object)d)]));

        if (apart > 0) cotangents = e.Op("Pad", [cotangents, e.Ints([.. new long[shape.Rank + 1], apart, .. new long[shape.Rank]])]);
        string[] stacked = [.. n.Output.Select(o => e.Graph.Fresh($"{GraphNames.Prefix}Scan"))];
        e.Graph.Nodes.Add(Nodes.Create("Scan", [e.Reshape(cotangents, [turns, PerTurn, .. shape.Open])], stacked, e.Graph.Fresh(NodeName), ("body", n), ("num_scan_inputs", 1)));
        string Whole(string turnByTurn, IReadOnlyList<int> row)
        {
            // [turns, N, targets of a turn, d…]
            var whole = e.Reshape(e.Transpose(turnByTurn, [1, 0, 2, .. row.Select((_, i) => i + 3L)]), [Rows, turns * PerTurn, .. row.Select(d => (long)d)]);
            return apart > 0 ? e.Slice(whole, 0, targets, 1) : whole;
        }
        return new([.. inputs.Select((row, i) => Whole(stacked[i], row))], Whole(stacked[^1], []));
    }
}
