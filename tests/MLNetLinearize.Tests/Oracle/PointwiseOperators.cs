namespace MLNetLinearize.Tests.Oracle;

/// <summary>Functions of one element. At a kink the slope is that of the branch the forward pass takes.</summary>
internal static class PointwiseOperators
{
    public static Dual Absolute(Dual x) => x.Pointwise(Math.Abs, z => Math.Sign(z));

    public static Dual SquareRoot(Dual x) => Rooted(x, x.Smooth(Math.Sqrt, z => 0.5 / Math.Sqrt(z)));

    /// <summary>The root of a sum of squares: at the origin a norm has no slope, and is taken to be flat.</summary>
    public static Dual Distance(Dual squares) => Rooted(squares, squares.Smooth(Math.Sqrt, z => z > 0 ? 0.5 / Math.Sqrt(z) : 0));

    public static Dual Exponential(Dual x) => x.Smooth(Math.Exp, Math.Exp);

    public static Dual Logarithm(Dual x) => x.Smooth(Math.Log, z => 1 / z);

    public static Dual Relu(Dual x) => x.Pointwise(z => Math.Max(z, 0), z => z > 0 ? 1 : 0);

    public static Dual LeakyRelu(OracleNode n)
    {
        var slope = n.Float("alpha", 0.01f);
        return n.X.Pointwise(z => z < 0 ? slope * z : z, z => z < 0 ? slope : 1);
    }

    public static Dual PRelu(OracleNode n)
    {
        // Before opset 7 a list of slopes ran along the channels.
        var slope = n.Opset < 7 && n[1].Rank == 1 && n[1].Value.Length > 1 ? n[1].Reshaped([n[1].Value.Length, .. Enumerable.Repeat(1, n.X.Rank - 2)]) : n[1];
        slope = slope.BroadcastTo(n.X.Shape);
        return ArithmeticOperators.Where(n.X.Value.Select(z => z < 0), n.X.Shape, n.X * slope, n.X);
    }

    public static Dual ThresholdedRelu(OracleNode n)
    {
        var threshold = n.Float("alpha", 1);
        return n.X.Pointwise(z => z > threshold ? z : 0, z => z > threshold ? 1 : 0);
    }

    public static Dual Shrink(OracleNode n)
    {
        var (bias, threshold) = (n.Float("bias", 0), n.Float("lambd", 0.5f));
        return n.X.Pointwise(z => z > threshold ? z - bias : z < -threshold ? z + bias : 0, z => Math.Abs(z) > threshold ? 1 : 0);
    }

    public static Dual Clip(OracleNode n)
    {
        var low = n.Has("min") ? n.Float("min", 0) : n.Optional(1)?.Value[0] ?? double.NegativeInfinity;
        var high = n.Has("max") ? n.Float("max", 0) : n.Optional(2)?.Value[0] ?? double.PositiveInfinity;
        if (n.Optional(1) is { IsConstant: false } || n.Optional(2) is { IsConstant: false })
        {
            // A bound of its own for the row, one for all elements.
            var (l, h) = (n[1].BroadcastTo(n.X.Shape), n[2].BroadcastTo(n.X.Shape));
            var raised = ArithmeticOperators.Where(n.X.Value.Select(z => z < low), n.X.Shape, l, n.X);
            return ArithmeticOperators.Where(raised.Value.Select(z => z > high), n.X.Shape, h, raised);
        }
        return n.X.Pointwise(z => Math.Min(Math.Max(z, low), high), z => z > low && z < high ? 1 : 0);
    }

    public static Dual Elu(OracleNode n)
    {
        var a = n.Float("alpha", 1);
        return n.X.Smooth(z => z < 0 ? a * (Math.Exp(z) - 1) : z, z => z < 0 ? a * Math.Exp(z) : 1);
    }

    public static Dual Celu(OracleNode n)
    {
        var a = n.Float("alpha", 1);
        return n.X.Smooth(z => z < 0 ? a * (Math.Exp(z / a) - 1) : z, z => z < 0 ? Math.Exp(z / a) : 1);
    }

    public static Dual Selu(OracleNode n)
    {
        var (a, g) = (n.Float("alpha", 1.67326319217681884765625f), n.Float("gamma", 1.05070102214813232421875f));
        return n.X.Smooth(z => g * (z > 0 ? z : a * (Math.Exp(z) - 1)), z => g * (z > 0 ? 1 : a * Math.Exp(z)));
    }

    public static Dual HardSigmoid(OracleNode n)
    {
        var (a, b) = (n.Float("alpha", 0.2f), n.Float("beta", 0.5f));
        return n.X.Pointwise(z => Math.Clamp(a * z + b, 0, 1), z => a * z + b is > 0 and < 1 ? a : 0);
    }

    public static Dual HardSwish(Dual x) => x.Smooth(z => z * Math.Clamp(z / 6 + 0.5, 0, 1), z => z <= -3 ? 0 : z >= 3 ? 1 : z / 3 + 0.5);

    public static Dual Sigmoid(Dual x) => x.Smooth(Logistic, z => Logistic(z) * (1 - Logistic(z)));

    public static Dual Tanh(Dual x) => x.Smooth(Math.Tanh, z => 1 - Math.Tanh(z) * Math.Tanh(z));

    public static Dual Softplus(Dual x) => x.Smooth(z => Math.Max(z, 0) + Math.Log(1 + Math.Exp(-Math.Abs(z))), Logistic);

    public static Dual Softsign(Dual x) => x.Smooth(z => z / (1 + Math.Abs(z)), z => 1 / Math.Pow(1 + Math.Abs(z), 2));

    public static Dual Mish(Dual x) => SelfGated(x, Tanh(Softplus(x)));

    public static Dual Swish(OracleNode n)
    {
        var a = n.Float("alpha", 1);
        return n.X.Smooth(z => z * Logistic(a * z), z => Logistic(a * z) + a * z * Logistic(a * z) * Logistic(-a * z));
    }

    public static Dual Erf(Dual x) => x.Smooth(MathNet.Numerics.SpecialFunctions.Erf, z => 2 / Math.Sqrt(Math.PI) * Math.Exp(-z * z));

    public static Dual Gelu(OracleNode n)
    {
        var (x, half) = (n.X, Dual.Scalar(0.5));
        var gate = n.Text("approximate", "none") == "tanh"
            ? Tanh(Reading.Tangent(() => x + x * x * x * Dual.Scalar(0.044715)) * Dual.Scalar(Math.Sqrt(2 / Math.PI)))
            : Erf(x * Dual.Scalar(1 / Math.Sqrt(2)));
        return SelfGated(x, half * (gate + Dual.Scalar(1)));
    }

    /// <summary>Powers with constant exponents.</summary>
    public static Dual Power(OracleNode n)
    {
        if (!n[1].IsConstant) return Reading.Tangent(() => Exponential(n[1] * Logarithm(n.X)));
        var shape = Shapes.Broadcast(n.X.Shape, n[1].Shape);
        var (x, exponents) = (n.X.BroadcastTo(shape), n[1].BroadcastTo(shape).Value);
        // Each exponent is a function of its own; the results are put together element by element.
        var distinct = exponents.Distinct().ToList();
        var powers = distinct.Select(p => x.Smooth(z => Math.Pow(z, p), z => p * Math.Pow(z, p - 1))).ToList();
        return Rooted(n.X, Dual.Select(shape, powers, [.. exponents.Select(p => distinct.IndexOf(p))], [.. Enumerable.Range(0, exponents.Length)]));
    }

    public static Dual Trigonometric(OracleNode n) => n.Operator switch
    {
        "Sin" => n.X.Smooth(Math.Sin, Math.Cos),
        "Cos" => n.X.Smooth(Math.Cos, z => -Math.Sin(z)),
        "Tan" => n.X.Smooth(Math.Tan, z => 1 / Math.Pow(Math.Cos(z), 2)),
        "Sinh" => n.X.Smooth(Math.Sinh, Math.Cosh),
        "Cosh" => n.X.Smooth(Math.Cosh, Math.Sinh),
        "Asin" => n.X.Smooth(Math.Asin, z => 1 / Math.Sqrt(1 - z * z)),
        "Acos" => n.X.Smooth(Math.Acos, z => -1 / Math.Sqrt(1 - z * z)),
        "Atan" => n.X.Smooth(Math.Atan, z => 1 / (1 + z * z)),
        "Asinh" => n.X.Smooth(Math.Asinh, z => 1 / Math.Sqrt(z * z + 1)),
        "Acosh" => n.X.Smooth(Math.Acosh, z => 1 / Math.Sqrt(z * z - 1)),
        "Atanh" => n.X.Smooth(Math.Atanh, z => 1 / (1 - z * z)),
        _ => throw new NotSupportedException(n.Operator),
    };

    /// <summary>x·g(x): its secant through 0 is g(x) itself, which is what holding the gate gives.</summary>
    /// <summary>A pointwise function, which is read as that whatever its operand is to others.</summary>
    private static Dual SelfGated(Dual x, Dual gate) => x.As(Role.None) * gate.As(Role.Gate);

    /// <summary>A root or power of a mean or sum is a normaliser's statistic.</summary>
    private static Dual Rooted(Dual x, Dual y) => x.Role == Role.None ? y : y.As(Role.Gate);

    private static double Logistic(double z) => 1 / (1 + Math.Exp(-z));
}
