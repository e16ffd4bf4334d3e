namespace MLNetLinearize.Tests.Oracle;

/// <summary>RNN, GRU and LSTM step by step, by the equations of the ONNX specification.</summary>
internal static class RecurrentOperators
{
    public static IReadOnlyList<Dual> Apply(OracleNode node) => Apply(node, node.Int("layout", 0) != 0);

    private static IReadOnlyList<Dual> Apply(OracleNode node, bool isBatchFirst)
    {
        if (isBatchFirst) return BatchFirst(node);
        var direction = node.Text("direction", "forward");
        var runs = Enumerable.Range(0, direction == "bidirectional" ? 2 : 1).Select(d => Run(node, d, direction == "reverse" || d == 1)).ToList();
        var (steps, rows, hidden) = (node.X.Shape[0], node.X.Shape[1], (int)node.Int("hidden_size", 0));
        Dual Stacked(IReadOnlyList<Dual> states) => Joined([.. states.Select(h => h.Reshaped(1, rows, hidden))], 0);
        var y = Joined([.. runs.Select(r => Stacked(r.States).Reshaped(steps, 1, rows, hidden))], 1);
        return [y, Stacked([.. runs.Select(r => r.Last)]), .. node.Operator == "LSTM" ? new[] { Stacked([.. runs.Select(r => r.Cell)]) } : []];
    }

    /// <summary>Layout 1: rows are the first axis of X, Y and all states.</summary>
    private static IReadOnlyList<Dual> BatchFirst(OracleNode node)
    {
        Dual? Turned(int i) => node.Optional(i) is { } x ? ShapeOperators.Permute(x, [1, 0, 2]) : null;
        var results = Apply(node.With(Turned(0), node[1], node[2], node.Optional(3), node.Optional(4), Turned(5), Turned(6), node.Optional(7)), isBatchFirst: false);
        return [.. results.Select((y, i) => ShapeOperators.Permute(y, i == 0 ? [2, 0, 1, 3] : [1, 0, 2]))];
    }

    private static (Dual[] States, Dual Last, Dual Cell) Run(OracleNode node, int d, bool isReverse)
    {
        var (x, hidden) = (node.X, (int)node.Int("hidden_size", 0));
        var (steps, rows, gates) = (x.Shape[0], x.Shape[1], node[1].Shape[1] / hidden);
        Dual Zero() => new([rows, hidden], new double[rows * hidden]);
        Dual State(int input) => node.Optional(input) is { } given ? Direction(given, d) : Zero();
        Dual Gate(int input, int k) => ShapeOperators.Permute(ShapeOperators.Range(Direction(node[input], d), 0, k * hidden, 1, hidden), [1, 0]);
        Dual Bias(int k) => node.Optional(3) is { } b ? ShapeOperators.Range(Direction(b, d), 0, k * hidden, 1, hidden) : Dual.Scalar(0);
        Dual Peephole(int gate, Dual from) => node.Optional(7) is { } p ? ShapeOperators.Range(Direction(p, d), 0, gate * hidden, 1, hidden) * from : Dual.Scalar(0);
        var lengths = node.Optional(4)?.Integers ?? [.. Enumerable.Repeat((long)steps, rows)];
        var (h, c, states) = (State(5), State(6), new Dual[steps]);
        for (var k = 0; k < steps; k++)
        {
            var t = isReverse ? steps - 1 - k : k;
            var step = ShapeOperators.Range(x, 0, t, 1, 1).Reshaped(rows, x.Shape[2]);
            Dual Input(int g) => MatrixOperators.Multiply(step, Gate(1, g)) + Bias(g);
            Dual Recurrent(int g, Dual from) => MatrixOperators.Multiply(from, Gate(2, g)) + Bias(gates + g);
            Dual Whole(int g) => Input(g) + Recurrent(g, h);
            Dual Squashed(int f, Dual z, bool clips = true) => RecurrentOperators.Squashed(node, d, f, clips ? Clipped(node, z) : z);
            var before = (h, c);
            switch (node.Operator)
            {
                case "LSTM":
                    var i = Squashed(0, Whole(0) + Peephole(0, c));
                    c = node.Int("input_forget", 0) != 0 && !(k == 0 && node.Optional(6) is null)
                        ? c + i * (Squashed(1, Whole(3)) - c).As(Role.None)
                        : Squashed(0, Whole(2) + Peephole(2, c)) * c + i * Squashed(1, Whole(3));
                    h = Squashed(0, Whole(1) + Peephole(1, c)) * Squashed(2, c, clips: false);
                    break;
                case "GRU":
                    var (z, r) = (Squashed(0, Whole(0)), Squashed(0, Whole(1)));
                    var candidate = Squashed(1, Input(2) + (node.Int("linear_before_reset", 0) != 0 ? r * Recurrent(2, h) : Recurrent(2, r * h)));
                    h = candidate + z * (h - candidate).As(Role.None);
                    break;
                default:
                    h = Squashed(0, Whole(0));
                    break;
            }
            // Behind its end a sequence keeps its states and gives 0; backwards it starts at its end.
            Dual Lasting(Dual now, Dual then) => ArithmeticOperators.Where(Enumerable.Range(0, rows * hidden).Select(i => t < lengths[i / hidden]), now.Shape, now, then);
            var state = h;
            if (lengths.Any(l => l < steps)) (state, h, c) = (Lasting(h, Zero()), Lasting(h, before.h), Lasting(c, before.c));
            states[t] = state;
        }
        return (states, h, c);
    }

    /// <summary>The f-th activation of a direction, with its parameters.</summary>
    private static Dual Squashed(OracleNode node, int direction, int f, Dual x)
    {
        string[] defaults = node.Operator switch { "RNN" => ["Tanh"], "GRU" => ["Sigmoid", "Tanh"], _ => ["Sigmoid", "Tanh", "Tanh"] };
        var names = node.Strings("activations") ?? [.. defaults, .. defaults];
        var which = direction * defaults.Length + f;
        // Parameters are listed for those functions alone that have any.
        double Parameter(string list, string[] having, double otherwise) =>
            node.Floats(list) is { } given && names[..which].Count(having.Contains) is var at && at < given.Length ? given[at] : otherwise;
        double Alpha(double otherwise) => Parameter("activation_alpha", ["LeakyRelu", "ThresholdedRelu", "Elu", "HardSigmoid", "ScaledTanh", "Affine"], otherwise);
        double Beta(double otherwise) => Parameter("activation_beta", ["HardSigmoid", "ScaledTanh", "Affine"], otherwise);
        switch (names[which])
        {
            case "Sigmoid": return PointwiseOperators.Sigmoid(x).As(Role.Gate);
            case "Tanh": return PointwiseOperators.Tanh(x).As(Role.Gate);
            case "Relu": return PointwiseOperators.Relu(x);
            case "Softsign": return PointwiseOperators.Softsign(x);
            case "Softplus": return PointwiseOperators.Softplus(x);
            case "LeakyRelu": return x.Pointwise(v => v < 0 ? Alpha(0.01) * v : v, v => v < 0 ? Alpha(0.01) : 1);
            case "ThresholdedRelu": return x.Pointwise(v => v > Alpha(1) ? v : 0, v => v > Alpha(1) ? 1 : 0);
            case "Elu": return x.Smooth(v => v < 0 ? Alpha(1) * (Math.Exp(v) - 1) : v, v => v < 0 ? Alpha(1) * Math.Exp(v) : 1);
            case "HardSigmoid": return x.Pointwise(v => Math.Clamp(Alpha(0.2) * v + Beta(0.5), 0, 1), v => Alpha(0.2) * v + Beta(0.5) is > 0 and < 1 ? Alpha(0.2) : 0).As(Role.Gate);
            case "ScaledTanh": return PointwiseOperators.Tanh(x * Dual.Scalar(Beta(1))).As(Role.None) * Dual.Scalar(Alpha(1));
            case "Affine": return x * Dual.Scalar(Alpha(1)) + Dual.Scalar(Beta(0));
            case var other: throw new NotSupportedException(other);
        }
    }

    private static Dual Clipped(OracleNode node, Dual x) =>
        node.Float("clip", 0) is > 0 and var clip ? x.Pointwise(v => Math.Clamp(v, -clip, clip), v => Math.Abs(v) < clip ? 1 : 0) : x;

    private static Dual Direction(Dual x, int d) => ShapeOperators.Range(x, 0, d, 1, 1).Reshaped(x.Shape[1..]);

    private static Dual Joined(Dual[] parts, int axis)
    {
        var shape = parts[0].Shape.With(axis, parts.Length);
        var strides = Shapes.Strides(parts[0].Shape);
        return Dual.Select(shape, parts, Shapes.Map(shape, at => at[axis]), Shapes.Map(shape, at => Shapes.Flat(at.With(axis, 0), strides)));
    }
}
