namespace MLNetLinearize.Tests.Oracle;

/// <summary>Normalisation and softmax, composed of simpler operators.</summary>
internal static class NormalizationOperators
{
    /// <summary>The value; in training mode, by the statistics of x, the running mean and variance as well.</summary>
    public static IReadOnlyList<Dual> BatchNormalization(OracleNode node)
    {
        var x = node.X;
        Dual PerChannel(Dual v) => v.Reshaped([1, v.Value.Length, .. Enumerable.Repeat(1, x.Rank - 2)]);
        var (mean, variance) = (PerChannel(node[3]), PerChannel(node[4]));
        IReadOnlyList<Dual> running = [];
        if (node.Int("training_mode", 0) != 0)
        {
            int[] axes = [0, .. Enumerable.Range(2, x.Rank - 2)];
            mean = ReductionOperators.Mean(x, axes, keep: true);
            variance = ReductionOperators.Mean((x - mean) * (x - mean), axes, keep: true);
            var momentum = node.Float("momentum", 0.9f);
            Dual Running(Dual before, Dual now) => before * Dual.Scalar(momentum) + now.Reshaped(before.Shape) * Dual.Scalar(1 - momentum);
            running = [Running(node[3], mean), Running(node[4], variance)];
        }
        var deviation = PointwiseOperators.SquareRoot(variance + Dual.Scalar(node.Float("epsilon", 1e-5f)));
        // The row's own statistic is a gate.
        if (running.Count > 0) deviation = deviation.As(Role.Gate);
        return [(x - mean) * PerChannel(node[1]) / deviation + PerChannel(node[2]), .. running];
    }

    public static Dual InstanceNormalization(OracleNode node)
    {
        var x = node.X;
        Dual PerChannel(Dual v) => v.Reshaped([1, v.Value.Length, .. Enumerable.Repeat(1, x.Rank - 2)]);
        return Standardized(x, [.. Enumerable.Range(2, x.Rank - 2)], node) * PerChannel(node[1]) + PerChannel(node[2]);
    }

    /// <summary>The value, the mean and the reciprocal of the deviation.</summary>
    public static IReadOnlyList<Dual> LayerNormalization(OracleNode node)
    {
        var x = node.X;
        var axis = Shapes.Axis(node.Int("axis", -1), x.Rank);
        int[] axes = [.. Enumerable.Range(axis, x.Rank - axis)];
        var y = Standardized(x, axes, node) * node[1];
        var mean = ReductionOperators.Mean(x, axes, keep: true);
        var variance = ReductionOperators.Mean((x - mean) * (x - mean), axes, keep: true);
        return [node.Optional(2) is { } shift ? y + shift : y, mean, PointwiseOperators.SquareRoot(variance + Dual.Scalar(node.Float("epsilon", 1e-5f))).Reciprocal()];
    }

    public static Dual LocalResponse(OracleNode node)
    {
        var x = node.X;
        var (size, alpha, beta, bias) = ((int)node.Int("size", 1), node.Float("alpha", 0.0001f), node.Float("beta", 0.75f), node.Float("bias", 1));
        var channels = x.Shape[1];
        var inner = Shapes.Count(x.Shape[2..]);
        var squares = (x * x).Linear(x.Shape, s =>
        {
            var sums = new double[s.Length];
            for (var i = 0; i < s.Length; i++)
            {
                var c = i / inner % channels;
                for (var k = Math.Max(0, c - (size - 1) / 2); k <= Math.Min(channels - 1, c + size / 2); k++) sums[i] += s[i + (k - c) * inner];
            }
            return sums;
        });
        return x * (squares * Dual.Scalar(alpha / size) + Dual.Scalar(bias)).Pointwise(z => Math.Pow(z, -beta), z => -beta * Math.Pow(z, -beta - 1)).As(Role.Gate);
    }

    /// <summary>Before opset 13 all axes from <c>axis</c> on are normalised together; since then <c>axis</c> alone.</summary>
    public static Dual Softmax(OracleNode node, bool logarithm)
    {
        var x = node.X;
        var axis = Shapes.Axis(node.Int("axis", node.Opset >= 13 ? -1 : 1), x.Rank);
        return Softmax(x, node.Opset >= 13 ? [axis] : [.. Enumerable.Range(axis, x.Rank - axis)], logarithm);
    }

    public static Dual Softmax(Dual x, int[] axes, bool logarithm)
    {
        var shifted = x - ReductionOperators.Maximum(x, axes, keep: true).WithoutColumns();
        var exponentials = PointwiseOperators.Exponential(shifted);
        var total = ReductionOperators.Sum(exponentials, axes, keep: true);
        return logarithm ? shifted - PointwiseOperators.Logarithm(total) : exponentials / total;
    }

    public static Dual GroupNormalization(OracleNode node)
    {
        var (x, groups) = (node.X, (int)node.Int("num_groups", 1));
        var h = Standardized(x.Reshaped(x.Shape[0], groups, Shapes.Count(x.Shape[1..]) / groups), [2], node).Reshaped(x.Shape);
        var repeated = x.Shape[1] / node[1].Value.Length;
        Dual PerChannel(Dual v) => v.Pick([1, x.Shape[1], .. Enumerable.Repeat(1, x.Rank - 2)], [.. Enumerable.Range(0, x.Shape[1]).Select(c => c / repeated)]);
        return h * PerChannel(node[1]) + PerChannel(node[2]);
    }

    public static Dual RootMeanSquare(OracleNode node)
    {
        var x = node.X;
        var axis = Shapes.Axis(node.Int("axis", -1), x.Rank);
        var square = ReductionOperators.Mean(x * x, [.. Enumerable.Range(axis, x.Rank - axis)], keep: true);
        return x / PointwiseOperators.SquareRoot(square + Dual.Scalar(node.Float("epsilon", 1e-5f))).As(Role.Gate) * node[1];
    }

    public static Dual MeanVariance(OracleNode node)
    {
        var axes = Shapes.Axes(node.Ints("axes") ?? [0, 2, 3], node.X.Rank);
        var centred = node.X - ReductionOperators.Mean(node.X, axes, keep: true);
        var deviation = PointwiseOperators.SquareRoot(ReductionOperators.Mean(centred * centred, axes, keep: true));
        return centred / (deviation + Dual.Scalar(1e-9)).As(Role.Gate);
    }

    public static Dual Lp(OracleNode node)
    {
        var x = node.X;
        int[] axes = [Shapes.Axis(node.Int("axis", -1), x.Rank)];
        var norm = node.Int("p", 2) == 1
            ? ReductionOperators.Sum(PointwiseOperators.Absolute(x), axes, keep: true)
            : PointwiseOperators.SquareRoot(ReductionOperators.Sum(x * x, axes, keep: true));
        return x / norm.As(Role.Gate);
    }

    private static Dual Standardized(Dual x, int[] axes, OracleNode node)
    {
        var centred = x - ReductionOperators.Mean(x, axes, keep: true);
        var variance = ReductionOperators.Mean(centred * centred, axes, keep: true);
        return centred / PointwiseOperators.SquareRoot(variance + Dual.Scalar(node.Float("epsilon", 1e-5f))).As(Role.Gate);
    }
}
