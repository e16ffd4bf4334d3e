using static MLNetLinearize.Tests.Rules.Net;

namespace MLNetLinearize.Tests.Rules;

/// <summary>Recurrent cells over sequences of three steps of two numbers, with three hidden units.</summary>
internal static partial class RuleCases
{
    private static IEnumerable<RuleCase> Recurrent() =>
    [
        Cell("RNN", "forward"),
        Cell("RNN", "reverse, last state", output: 1, direction: "reverse"),
        Cell("RNN", "bidirectional", direction: "bidirectional"),
        Cell("RNN", "no bias", bias: false),
        Cell("RNN", "initial state", initial: true),
        Cell("RNN", "Relu", activations: ["Relu"]) with { IsPiecewiseLinear = true },
        Cell("GRU", "forward"),
        Cell("GRU", "reverse", direction: "reverse"),
        Cell("GRU", "bidirectional, last states", output: 1, direction: "bidirectional"),
        Cell("GRU", "linear_before_reset", linearBeforeReset: true),
        Cell("GRU", "linear_before_reset, initial state, bidirectional", initial: true, direction: "bidirectional", linearBeforeReset: true),
        Cell("GRU", "initial state, no bias", initial: true, bias: false),
        Cell("LSTM", "forward"),
        Cell("LSTM", "forward, last cell", output: 2),
        Cell("LSTM", "reverse, last state", output: 1, direction: "reverse"),
        Cell("LSTM", "bidirectional", direction: "bidirectional"),
        Cell("LSTM", "no bias", bias: false),
        Cell("LSTM", "initial states", initial: true),
        Cell("LSTM", "peepholes", peepholes: true),
        Cell("LSTM", "peepholes, bidirectional, initial states", initial: true, direction: "bidirectional", peepholes: true),
        Cell("LSTM", "clipped gates", extra: ("clip", 0.3f)),
        Cell("LSTM", "clipped gates, peepholes", initial: true, peepholes: true, extra: ("clip", 0.3f)),
        Cell("GRU", "clipped gates", initial: true, extra: ("clip", 0.3f)),
        Cell("RNN", "clipped sums", initial: true, extra: ("clip", 0.3f)),
        Cell("LSTM", "coupled gates", extra: ("input_forget", 1L)),
        Cell("LSTM", "coupled gates, initial states", initial: true, extra: ("input_forget", 1L)),
        Cell("RNN", "HardSigmoid and Softsign", direction: "bidirectional", activations: ["HardSigmoid", "Softsign"]),
        Cell("RNN", "parameters of activations", direction: "bidirectional", initial: true, activations: ["LeakyRelu", "Affine"], extra: [("activation_alpha", new[] { 0.2f, 0.8f }), ("activation_beta", new[] { 0.1f })]) with { IsPiecewiseLinear = true },
        Cell("RNN", "ScaledTanh and Elu", direction: "bidirectional", activations: ["ScaledTanh", "Elu"], extra: [("activation_alpha", new[] { 0.7f, 1.3f }), ("activation_beta", new[] { 0.6f })]),
        Cell("RNN", "ThresholdedRelu and Softplus", direction: "bidirectional", activations: ["ThresholdedRelu", "Softplus"], extra: ("activation_alpha", new[] { 0.1f })),
        Cell("GRU", "HardSigmoid", activations: ["HardSigmoid", "Tanh"]),
        Cell("RNN", "shorter sequences", lengths: [3, 2], direction: "bidirectional"),
        Cell("GRU", "shorter sequences, last states", output: 1, lengths: [2, 3], initial: true),
        Cell("LSTM", "shorter sequences, reverse", lengths: [2, 1], direction: "reverse", initial: true),
        Cell("LSTM", "shorter sequences, last cell", output: 2, lengths: [1, 3]),
        Cell("LSTM", "lengths that are whole", lengths: [3, 3], initial: true),
        .. AtOpsets(Cell("LSTM", "spelling"), 7, 14, 22),
        Case("LSTM, two layers and a dense one", "LSTM", [3, 2], (n, x) =>
        {
            var first = n.Op("Squeeze", [Recur(n, "LSTM", n.Op("Transpose", [x], ("perm", L(1, 0, 2))), 2, 0), n.Ints(1)]);
            return n.Op("Gemm", [n.Op("Squeeze", [Recur(n, "LSTM", first, 3, 1), n.Ints(0)]), n.Weights(3, 2), n.Weights(2)]);
        }) with { IsPiecewiseLinear = false },
    ];

    /// <summary>Rows of lengths of their own are two sequences of one row, without a batch axis.</summary>
    private static RuleCase Cell(string op, string name, int output = 0, string direction = "forward", bool bias = true, bool initial = false, bool linearBeforeReset = false, string[]? activations = null, bool peepholes = false, long[]? lengths = null, params (string, object)[] extra) =>
        new($"{op}, {name}", op, lengths is null ? [3, 2] : [2, 3, 2], (n, x) =>
        {
            var y = Recur(n, op, n.Op("Transpose", [x], ("perm", L(1, 0, 2))), 2, output, direction, bias, initial ? x : null, linearBeforeReset, activations, peepholes, lengths, extra);
            // Rows first again.
            return n.Op("Transpose", [y], ("perm", output == 0 ? L(2, 0, 1, 3) : L(1, 0, 2)));
        })
        { IsPiecewiseLinear = false, Batch = lengths is null ? "N" : null };

    private static string Recur(Net n, string op, string x, int inputs, int output, string direction = "forward", bool bias = true, string? initial = null, bool linearBeforeReset = false, string[]? activations = null, bool peepholes = false, long[]? lengths = null, params (string, object)[] extra)
    {
        const int Hidden = 3;
        var (gates, directions) = (op switch { "LSTM" => 4, "GRU" => 3, _ => 1 }, direction == "bidirectional" ? 2 : 1);
        List<string> operands = [x, n.Weights(directions, gates * Hidden, inputs), n.Weights(directions, gates * Hidden, Hidden), bias ? n.Weights(directions, 2 * gates * Hidden) : "", "", "", "", ""];
        if (lengths is not null) operands[4] = n.Integers32([.. lengths.Select(l => (int)l)], lengths.Length);
        if (initial is not null)
        {
            // From the first step, so that the initial states depend on the row as well.
            var first = n.Op("Reshape", [n.Op("Slice", [initial, n.Ints(0), n.Ints(1), n.Ints(1)]), n.Ints(1, -1, inputs)]);
            for (var i = 0; i < (op == "LSTM" ? 2 : 1); i++) operands[5 + i] = n.Op("MatMul", [first, n.Weights(directions, inputs, Hidden)]);
        }
        if (peepholes) operands[7] = n.Weights(directions, 3 * Hidden);
        while (operands[^1].Length == 0) operands.RemoveAt(operands.Count - 1);
        List<(string, object)> attributes = [("hidden_size", (long)Hidden), ("direction", direction), .. extra];
        if (linearBeforeReset) attributes.Add(("linear_before_reset", 1L));
        if (activations is not null) attributes.Add(("activations", activations));
        return n.Ops(op, op == "LSTM" ? 3 : 2, [.. operands], [.. attributes])[output];
    }
}
