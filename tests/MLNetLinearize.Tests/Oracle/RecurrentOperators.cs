namespace MLNetLinearize.Tests.Oracle;

/// <summary>RNN, GRU and LSTM step by step, by the equations of the ONNX specification.</summary>
internal static class RecurrentOperators
{
    public static IReadOnlyList<Dual> Apply(OracleNode node)
    {
        if (node.Int("layout", 0) != 0 || node.Optional(4) is not null || node.Optional(7) is not null) throw new NotSupportedException("Cells with layout 1, sequence_lens or peepholes.");
        var direction = node.Text("direction", "forward");
        var runs = Enumerable.Range(0, direction == "bidirectional" ? 2 : 1).Select(d => Run(node, d, direction == "reverse" || d == 1)).ToList();
        var (steps, rows, hidden) = (node.X.Shape[0], node.X.Shape[1], (int)node.Int("hidden_size", 0));
        Dual Stacked(IReadOnlyList<Dual> states) => Joined([.. states.Select(h => h.Reshaped(1, rows, hidden))], 0);
        var y = Joined([.. runs.Select(r => Stacked(r.States).Reshaped(steps, 1, rows, hidden))], 1);
        return [y, Stacked([.. runs.Select(r => r.Last)]), .. node.Operator == "LSTM" ? new[] { Stacked([.. runs.Select(r => r.Cell)]) } : []];
    }

    private static (Dual[] States, Dual Last, Dual Cell) Run(OracleNode node, int d, bool isReverse)
    {
        var (x, hidden) = (node.X, (int)node.Int("hidden_size", 0));
        var (steps, rows, gates) = (x.Shape[0], x.Shape[1], node[1].Shape[1] / hidden);
        Dual Zero() => new([rows, hidden], new double[rows * hidden]);
        Dual State(int input) => node.Optional(input) is { } given ? Direction(given, d) : Zero();
        Dual Gate(int input, int k) => ShapeOperators.Permute(ShapeOperators.Range(Direction(node[input], d), 0, k * hidden, 1, hidden), [1, 0]);
        Dual Bias(int k) => node.Optional(3) is { } b ? ShapeOperators.Range(Direction(b, d), 0, k * hidden, 1, hidden) : Dual.Scalar(0);
        var (h, c, states) = (State(5), State(6), new Dual[steps]);
        for (var k = 0; k < steps; k++)
        {
            var t = isReverse ? steps - 1 - k : k;
            var step = ShapeOperators.Range(x, 0, t, 1, 1).Reshaped(rows, x.Shape[2]);
            Dual Input(int g) => MatrixOperators.Multiply(step, Gate(1, g)) + Bias(g);
            Dual Recurrent(int g, Dual from) => MatrixOperators.Multiply(from, Gate(2, g)) + Bias(gates + g);
            Dual Whole(int g) => Input(g) + Recurrent(g, h);
            switch (node.Operator)
            {
                case "LSTM":
                    c = Squashed(node, 0, Whole(2)) * c + Squashed(node, 0, Whole(0)) * Squashed(node, 1, Whole(3));
                    h = Squashed(node, 0, Whole(1)) * Squashed(node, 2, c);
                    break;
                case "GRU":
                    var (z, r) = (Squashed(node, 0, Whole(0)), Squashed(node, 0, Whole(1)));
                    var candidate = Squashed(node, 1, Input(2) + (node.Int("linear_before_reset", 0) != 0 ? r * Recurrent(2, h) : Recurrent(2, r * h)));
                    h = candidate + z * (h - candidate).As(Role.None);
                    break;
                default:
                    h = Squashed(node, 0, Whole(0));
                    break;
            }
            states[t] = h;
        }
        return (states, h, c);
    }

    private static Dual Squashed(OracleNode node, int k, Dual x)
    {
        string[] defaults = node.Operator == "RNN" ? ["Tanh"] : ["Sigmoid", "Tanh", "Tanh"];
        return (node.Strings("activations") is { } given ? given[k] : defaults[k]) switch
        {
            "Sigmoid" => PointwiseOperators.Sigmoid(x).As(Role.Gate),
            "Tanh" => PointwiseOperators.Tanh(x).As(Role.Gate),
            "Relu" => PointwiseOperators.Relu(x),
            var other => throw new NotSupportedException(other),
        };
    }

    private static Dual Direction(Dual x, int d) => ShapeOperators.Range(x, 0, d, 1, 1).Reshaped(x.Shape[1..]);

    private static Dual Joined(Dual[] parts, int axis)
    {
        var shape = parts[0].Shape.With(axis, parts.Length);
        var strides = Shapes.Strides(parts[0].Shape);
        return Dual.Select(shape, parts, Shapes.Map(shape, at => at[axis]), Shapes.Map(shape, at => Shapes.Flat(at.With(axis, 0), strides)));
    }
}
