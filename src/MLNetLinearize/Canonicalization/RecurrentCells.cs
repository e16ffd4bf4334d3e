using MLNetLinearize.Onnx;

namespace MLNetLinearize.Canonicalization;

/// <summary>
/// RNN, GRU and LSTM, unrolled over the length of the sequence into MatMul, Add, Mul and the activations, so that each rule
/// is known. Equations and the order of the gates: the ONNX specification of the three operators.
/// </summary>
internal static class RecurrentCells
{
    /// <summary>Batch-first cells (layout 1), which ONNX Runtime does not run, as time-first ones between transpositions.</summary>
    public static IReadOnlyList<NodeProto> TimeFirst(Graph graph, NodeProto cell)
    {
        var to = new Replacement(graph, cell);
        var inner = cell.Clone();
        inner.Remove("layout");
        foreach (var i in new[] { 0, 5, 6 })
            if (cell.InputOrNull(i) is { } name) inner.Input[i] = to.Transpose(name, 1, 0, 2);
        to.Nodes.Add(inner);
        for (var i = 0; i < cell.Output.Count; i++)
        {
            if (!to.Makes(i)) continue;
            inner.Output[i] = graph.Fresh($"{cell.Name}/{i}");
            to.Output(i, i == 0 ? to.Transpose(inner.Output[0], 2, 0, 1, 3) : to.Transpose(inner.Output[i], 1, 0, 2));
        }
        return to.Nodes;
    }

    public static void Unroll(Expansion to)
    {
        var steps = to.Dims(0)[0];
        ExpansionException.ThrowIfAbove(to.MaxSteps, steps, $"it runs over {steps:N0} steps");
        new Unrolling(to, (int)steps).Write();
    }

    /// <summary>The nodes that one cell becomes. Tensors of a step are [N, …]; sequences are [steps, N, …].</summary>
    private sealed class Unrolling(Expansion to, int steps)
    {
        private readonly NodeProto cell = to.Node;
        private readonly RecurrentActivations activations = RecurrentActivations.Of(to.Node);

        /// <summary>Lengths of the rows' sequences, [N]; null where all run to the end.</summary>
        private readonly string? lengths = to.InOrNull(4) is { } given && to.Value(4)?.ToInt64().All(l => l >= steps) != true ? to.Cast(given, TensorProto.Types.DataType.Int64) : null;

        public void Write()
        {
            var direction = cell.Text("direction", "forward");
            var count = direction == "bidirectional" ? 2 : 1;
            var runs = Enumerable.Range(0, count).Select(d => Run(d, direction == "reverse" || d == 1)).ToList();
            Output(0, 1, runs.Select(r => to.Concat([.. r.States.Select(h => to.Unsqueeze(h, 0, 1))], 0)));
            Output(1, 0, runs.Select(r => to.Unsqueeze(r.Last, 0)));
            Output(2, 0, runs.Select(r => to.Unsqueeze(r.Cell!, 0)));
        }

        /// <summary>All states in the order of time, the last one computed, and the LSTM's last cell state.</summary>
        private (string[] States, string Last, string? Cell) Run(int direction, bool isReverse)
        {
            var (w, r) = (to.Transpose(Part(1, direction)!, 1, 0), to.Transpose(Part(2, direction)!, 1, 0));
            // Wb and Rb, one behind the other.
            var b = Part(3, direction) is { } both ? to.Split(both, 2, 0) : null;
            var x = to.Op("MatMul", [cell.Input[0], w]);
            if (b is not null) x = to.Add(x, b[0]);
            var inputs = to.Split(x, steps, 0);
            var (h, c) = (Part(5, direction), Part(6, direction));
            var peepholes = Part(7, direction) is { } p ? to.Split(p, 3, 0) : null;
            var states = new string[steps];
            for (var k = 0; k < steps; k++)
            {
                var t = isReverse ? steps - 1 - k : k;
                var step = to.Squeeze(inputs[t], 0);
                var before = (h, c);
                (h, c) = cell.OpType switch
                {
                    "LSTM" => Lstm(Sum(step, Recurrent(h, r, b?[1])), c, peepholes, direction),
                    "GRU" => (Gru(step, h, r, b?[1], direction), null),
                    _ => (Activated(0, direction, Sum(step, Recurrent(h, r, b?[1]))), null),
                };
                states[t] = h;
                if (lengths is null) continue;
                // Behind its end a sequence keeps its state, and tells 0. One read backwards starts at its own end.
                var lasts = to.Unsqueeze(to.Op("Less", [to.Ints(t), lengths]), 1);
                string Kept(string now, string? then) => to.Op("Where", [lasts, now, then ?? to.Scalar(0f)]);
                states[t] = Kept(h, null);
                (h, c) = (Kept(h, before.h), c is null ? null : Kept(c, before.c));
            }
            return (states, h!, c);
        }

        /// <summary>i, o, f, c: C ← f∘C + i∘c, H = o∘tanh(C). Without an initial state C is 0. Peepholes, i, o, f, let the gates see C.</summary>
        private (string H, string C) Lstm(string gates, string? previous, string[]? peepholes, int direction)
        {
            string Seeing(string z, int k, string? state) => peepholes is null || state is null ? z : to.Add(z, to.Mul(state, peepholes[k]));
            var z = to.Split(gates, 4, -1);
            var i = Activated(0, direction, Seeing(z[0], 0, previous));
            var candidate = Activated(1, direction, z[3]);
            string c;
            if (previous is null) c = to.Mul(i, candidate);
            // Coupled, f = 1 − i: written C + i∘(c − C), in which i is what weighs.
            else if (cell.Int("input_forget", 0) != 0) c = to.Add(previous, to.Mul(i, to.Sub(candidate, previous)));
            else c = to.Add(to.Mul(Activated(0, direction, Seeing(z[2], 2, previous)), previous), to.Mul(i, candidate));
            var o = Activated(0, direction, Seeing(z[1], 1, c));
            return (to.Mul(o, Activated(2, direction, c, clips: false)), c);
        }

        /// <summary>z, r, h: H ← (1 − z)∘h + z∘H, written h + z∘(H − h), in which z is what weighs.</summary>
        private string Gru(string step, string? previous, string recurrence, string? bias, int direction)
        {
            var w = to.Split(step, 3, -1);
            var parts = to.Split(recurrence, 3, -1);
            var b = bias is null ? null : to.Split(bias, 3, 0);
            var z = Activated(0, direction, Sum(w[0], Recurrent(previous, parts[0], b?[0])));
            var r = Activated(0, direction, Sum(w[1], Recurrent(previous, parts[1], b?[1])));
            string? inner;
            if (cell.Int("linear_before_reset", 0) != 0) inner = Recurrent(previous, parts[2], b?[2]) is { } whole ? to.Mul(r, whole) : null;
            else inner = Recurrent(previous is null ? null : to.Mul(r, previous), parts[2], b?[2]);
            var h = Activated(1, direction, Sum(w[2], inner));
            // Without an initial state H is 0.
            var change = previous is null ? to.Op("Neg", [h]) : to.Sub(previous, h);
            return to.Add(h, to.Mul(z, change));
        }

        private string? Recurrent(string? h, string r, string? bias) => h is null ? bias : Sum(to.Op("MatMul", [h, r]), bias);

        private string Sum(string a, string? b) => b is null ? a : to.Add(a, b);

        /// <summary>The k-th activation of a direction, of a sum that is cut to ±clip.</summary>
        private string Activated(int k, int direction, string x, bool clips = true)
        {
            var clip = cell.Float("clip", 0);
            return activations.Write(to, k, direction, clips && clip > 0 ? to.Op("Clip", [x, to.Scalar(-clip), to.Scalar(clip)]) : x);
        }

        /// <summary>One direction's part of an input; null where it is left out.</summary>
        private string? Part(int input, int direction) =>
            cell.InputOrNull(input) is { } name ? to.Squeeze(to.Slice(name, direction, direction + 1, 0), 0) : null;

        private void Output(int i, long axis, IEnumerable<string> parts)
        {
            if (to.Makes(i)) to.Output(i, to.Concat([.. parts], axis));
        }
    }
}
