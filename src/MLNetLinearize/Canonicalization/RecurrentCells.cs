using MLNetLinearize.Onnx;

namespace MLNetLinearize.Canonicalization;

/// <summary>
/// RNN, GRU and LSTM, unrolled over the length of the sequence into MatMul, Add, Mul and the activations, so that each rule
/// is known. Equations and the order of the gates: the ONNX specification of the three operators.
/// </summary>
internal static class RecurrentCells
{
    private static readonly string[] Activations = ["Sigmoid", "Tanh", "Relu"];

    public static bool IsCell(NodeProto node) => node.IsStandard() && node.OpType is "RNN" or "GRU" or "LSTM" && Objection(node) is null;

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

    /// <param name="graph">The network; its cells are replaced.</param>
    /// <param name="shapes">Every tensor's dimensions for one row.</param>
    /// <param name="limit">Most steps.</param>
    /// <exception cref="InvalidModelException">A sequence is longer.</exception>
    public static void Unroll(Graph graph, IReadOnlyDictionary<string, TensorFact> shapes, int limit) =>
        graph.Nodes = [.. graph.Nodes.SelectMany(n => IsCell(n) ? new Unrolling(graph, n, Steps(n, shapes[n.Input[0]].Dims[0], limit)).Nodes() : [n])];

    private static int Steps(NodeProto cell, long steps, int limit) => steps <= limit ? (int)steps
        : throw new InvalidModelException($"{cell.Describe()} runs over {steps:N0} steps, each of which becomes nodes of its own; at most {limit:N0} are unrolled (MaxUnrolledSteps). Shorten the sequence (InputShapes, where it is open), or raise the limit.");

    private static List<string> Names(NodeProto node) => node.Find("activations") is { } given ? [.. given.Strings.Select(s => s.ToStringUtf8())] : [];

    /// <summary>The nodes that one cell becomes. Tensors of a step are [N, …]; sequences are [steps, N, …].</summary>
    private sealed class Unrolling(Graph graph, NodeProto cell, int steps)
    {
        private readonly List<NodeProto> nodes = [];

        public List<NodeProto> Nodes()
        {
            var direction = cell.Text("direction", "forward");
            var count = direction == "bidirectional" ? 2 : 1;
            var runs = Enumerable.Range(0, count).Select(d => Run(d, direction == "reverse" || d == 1)).ToList();
            Output(0, 1, [.. runs.Select(r => Joined([.. r.States.Select(h => Unsqueeze(h, 0, 1))], 0))]);
            Output(1, 0, [.. runs.Select(r => Unsqueeze(r.Last, 0))]);
            Output(2, 0, [.. runs.Select(r => r.Cell is null ? "" : Unsqueeze(r.Cell, 0))]);
            return nodes;
        }

        /// <summary>All states in the order of time, the last one computed, and the LSTM's last cell state.</summary>
        private (string[] States, string Last, string? Cell) Run(int direction, bool isReverse)
        {
            var (w, r) = (Transposed(Part(1, direction)!), Transposed(Part(2, direction)!));
            // Wb and Rb, one behind the other.
            var b = Part(3, direction) is { } both ? Op("Split", 2, [both], ("axis", 0L), ("num_outputs", 2L)) : null;
            var x = Op("MatMul", [cell.Input[0], w]);
            if (b is not null) x = Op("Add", [x, b[0]]);
            var inputs = steps == 1 ? [x] : Op("Split", steps, [x], ("axis", 0L), ("num_outputs", (long)steps));
            var (h, c) = (Part(5, direction), Part(6, direction));
            var states = new string[steps];
            for (var k = 0; k < steps; k++)
            {
                var t = isReverse ? steps - 1 - k : k;
                var step = Op("Squeeze", [inputs[t], Ints(0)]);
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
            var z = Op("Split", 4, [gates], ("axis", -1L), ("num_outputs", 4L));
            var (i, o, f) = (Activated(0, direction, z[0]), Activated(0, direction, z[1]), Activated(0, direction, z[2]));
            var c = Op("Mul", [i, Activated(1, direction, z[3])]);
            if (previous is not null) c = Op("Add", [Op("Mul", [f, previous]), c]);
            return (Op("Mul", [o, Activated(2, direction, c)]), c);
        }

        /// <summary>z, r, h: H ← (1 − z)∘h + z∘H, written h + z∘(H − h), in which z is what weighs.</summary>
        private string Gru(string step, string? previous, string recurrence, string? bias, int direction)
        {
            var w = Op("Split", 3, [step], ("axis", -1L), ("num_outputs", 3L));
            var parts = Op("Split", 3, [recurrence], ("axis", -1L), ("num_outputs", 3L));
            var b = bias is null ? null : Op("Split", 3, [bias], ("axis", 0L), ("num_outputs", 3L));
            var z = Activated(0, direction, Sum(w[0], Recurrent(previous, parts[0], b?[0])));
            var r = Activated(0, direction, Sum(w[1], Recurrent(previous, parts[1], b?[1])));
            string? inner;
            if (cell.Int("linear_before_reset", 0) != 0) inner = Recurrent(previous, parts[2], b?[2]) is { } whole ? Op("Mul", [r, whole]) : null;
            else inner = Recurrent(previous is null ? null : Op("Mul", [r, previous]), parts[2], b?[2]);
            var h = Activated(1, direction, Sum(w[2], inner));
            // Without an initial state H is 0.
            var change = previous is null ? Op("Neg", [h]) : Op("Sub", [previous, h]);
            return Op("Add", [h, Op("Mul", [z, change])]);
        }

        private string? Recurrent(string? h, string r, string? bias) => h is null ? bias : Sum(Op("MatMul", [h, r]), bias);

        private string Sum(string a, string? b) => b is null ? a : Op("Add", [a, b]);

        /// <summary>The k-th activation of a direction: f, g, h in the words of the specification.</summary>
        private string Activated(int k, int direction, string x)
        {
            string[] defaults = cell.OpType switch { "LSTM" => ["Sigmoid", "Tanh", "Tanh"], "GRU" => ["Sigmoid", "Tanh"], _ => ["Tanh"] };
            var given = Names(cell);
            var name = given.Count > 0 ? given[direction * defaults.Length + k] : defaults[k];
            return Op(Activations.First(a => a.Equals(name, StringComparison.OrdinalIgnoreCase)), [x]);
        }

        /// <summary>One direction's part of an input; null where it is left out.</summary>
        private string? Part(int input, int direction) =>
            cell.InputOrNull(input) is { } name ? Op("Squeeze", [Op("Slice", [name, Ints(direction), Ints(direction + 1), Ints(0)]), Ints(0)]) : null;

        private string Transposed(string matrix) => Op("Transpose", [matrix], ("perm", (long[])[1, 0]));

        private string Unsqueeze(string x, params long[] axes) => Op("Unsqueeze", [x, Ints(axes)]);

        private string Joined(string[] parts, long axis) => parts.Length == 1 ? parts[0] : Op("Concat", parts, ("axis", axis));

        private void Output(int i, long axis, string[] parts)
        {
            if (i >= cell.Output.Count || cell.Output[i].Length == 0) return;
            nodes.Add(MLNetLinearize.Onnx.Nodes.Create("Identity", [Joined(parts, axis)], [cell.Output[i]], graph.Fresh($"{cell.Name}/output{i}")));
        }

        private string Ints(params long[] values) => graph.AddInitializer(Tensors.Of($"{cell.Name}/ints", values, values.Length));

        private string Op(string op, string[] inputs, params ReadOnlySpan<(string, object)> attributes) => Op(op, 1, inputs, attributes)[0];

        private string[] Op(string op, int outputs, string[] inputs, params ReadOnlySpan<(string, object)> attributes)
        {
            string[] names = [.. Enumerable.Range(0, outputs).Select(_ => graph.Fresh($"{cell.Name}/{op}"))];
            nodes.Add(MLNetLinearize.Onnx.Nodes.Create(op, inputs, names, graph.Fresh($"{cell.Name}/node/{op}"), attributes));
            return names;
        }
    }
}
