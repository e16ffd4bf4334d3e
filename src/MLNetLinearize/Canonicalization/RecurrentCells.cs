using MLNetLinearize.Onnx;

namespace MLNetLinearize.Canonicalization;

/// <summary>
/// RNN, GRU and LSTM, unrolled over the length of the sequence into MatMul, Add, Mul and the activations, so that each rule
/// is known. Equations and the order of the gates: the ONNX specification of the three operators.
/// </summary>
internal static class RecurrentCells
{
    private static readonly string[] Activations = ["Sigmoid", "Tanh", "Relu"];

    /// <summary>Why a cell cannot be unrolled, and the remedy; null where it can.</summary>
    public static (string Reason, string Remedy)? Objection(NodeProto node)
    {
        const string Unrolled = "export the cell unrolled";
        if (node.InputOrNull(4) is not null) return ("the length of each sequence is computed or differs from row to row (sequence_lens)", "leave sequence_lens out, for sequences of one length");
        if (node.InputOrNull(7) is not null) return ("it has peepholes (input P)", Unrolled);
        if (node.Float("clip", 0) > 0) return ("its gates are clipped", Unrolled);
        if (node.Int("input_forget", 0) != 0) return ("its input and forget gates are coupled", Unrolled);
        if (node.Int("layout", 0) != 0) return ("ONNX Runtime does not run layout 1", "export with layout 0");
        return Names(node).FirstOrDefault(a => !Activations.Contains(a, StringComparer.OrdinalIgnoreCase)) is { } other ? ($"activation '{other}' in a cell has no rule yet", Unrolled) : null;
    }

    public static void Unroll(Expansion to)
    {
        if (Objection(to.Node) is { } why) throw new ExpansionException(why.Reason, why.Remedy);
        var steps = to.Dims(0)[0];
        ExpansionException.ThrowIfAbove(to.MaxSteps, steps, $"it runs over {steps:N0} steps");
        new Unrolling(to, (int)steps).Write();
    }

    private static List<string> Names(NodeProto node) => node.Find("activations") is { } given ? [.. given.Strings.Select(s => s.ToStringUtf8())] : [];

    /// <summary>The nodes that one cell becomes. Tensors of a step are [N, …]; sequences are [steps, N, …].</summary>
    private sealed class Unrolling(Expansion to, int steps)
    {
        private readonly NodeProto cell = to.Node;

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
            var states = new string[steps];
            for (var k = 0; k < steps; k++)
            {
                var t = isReverse ? steps - 1 - k : k;
                var step = to.Squeeze(inputs[t], 0);
                (h, c) = cell.OpType switch
                {
                    "LSTM" => Lstm(Sum(step, Recurrent(h, r, b?[1])), c, direction),
                    "GRU" => (Gru(step, h, r, b?[1], direction), null),
                    _ => (Activated(0, direction, Sum(step, Recurrent(h, r, b?[1]))), null),
                };
                states[t] = h;
            }
            return (states, h!, c);
        }

        /// <summary>i, o, f, c: C ← f∘C + i∘c, H = o∘tanh(C). Without an initial state C is 0.</summary>
        private (string H, string C) Lstm(string gates, string? previous, int direction)
        {
            var z = to.Split(gates, 4, -1);
            var (i, o, f) = (Activated(0, direction, z[0]), Activated(0, direction, z[1]), Activated(0, direction, z[2]));
            var c = to.Mul(i, Activated(1, direction, z[3]));
            if (previous is not null) c = to.Add(to.Mul(f, previous), c);
            return (to.Mul(o, Activated(2, direction, c)), c);
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

        /// <summary>The k-th activation of a direction: f, g, h in the words of the specification.</summary>
        private string Activated(int k, int direction, string x)
        {
            string[] defaults = cell.OpType switch { "LSTM" => ["Sigmoid", "Tanh", "Tanh"], "GRU" => ["Sigmoid", "Tanh"], _ => ["Tanh"] };
            var given = Names(cell);
            var name = given.Count > 0 ? given[direction * defaults.Length + k] : defaults[k];
            return to.Op(Activations.First(a => a.Equals(name, StringComparison.OrdinalIgnoreCase)), [x]);
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
