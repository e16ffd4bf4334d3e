using MLNetLinearize.Onnx;

namespace MLNetLinearize.Rules;

/// <summary>Derivatives that take more than a line, and Softmax.</summary>
internal static class Smooth
{
    /// <summary>
    /// σ'(s·x) = e/(1 + e)² with e = exp(−|s·x|): y·(1 − y) loses its digits where the unit saturates, and ONNX Runtime's
    /// Sigmoid is a rational approximation whose tails are right to 1e-7 of 1, not of themselves.
    /// </summary>
    public static string LogisticSlope(Vjp v, float scale)
    {
        var e = v.E.Op("Exp", [v.E.Neg(v.E.Op("Abs", [v.E.Scaled(v.In(0), scale)]))]);
        var one = v.E.Add(v.E.Scalar(1), e);
        return v.E.Div(e, v.E.Mul(one, one));
    }

    /// <summary>σ(x) = exp(min(x, 0)) / (1 + exp(−|x|)), right to its last digits in both tails.</summary>
    public static string Logistic(Vjp v) => Logistic(v, 1);

    /// <summary>σ(s·x).</summary>
    private static string Logistic(Vjp v, float scale)
    {
        var (e, x) = (v.E, v.E.Scaled(v.In(0), scale));
        return e.Div(e.Op("Exp", [e.Op("Min", [x, e.Scalar(0)])]), e.Add(e.Scalar(1), e.Op("Exp", [e.Neg(e.Op("Abs", [x]))])));
    }

    /// <summary>
    /// log(1 + eᶻ) − log 2 = log(1 + u) = 2·artanh(u / (2 + u)) with u = (eᶻ − 1)/2 = e^(z/2)·sinh(z/2), which keeps its
    /// digits near 0; away from it the difference itself does.
    /// </summary>
    public static string SoftplusRise(Vjp v)
    {
        var (e, half) = (v.E, v.E.Scaled(v.In(0), 0.5f));
        var u = e.Mul(e.Op("Exp", [half]), e.Op("Sinh", [half]));
        var rise = e.Scaled(e.Op("Atanh", [e.Div(u, e.Add(u, e.Scalar(2)))]), 2);
        var isNear = e.Op("Less", [e.Op("Abs", [v.In(0)]), e.Scalar(1)]);
        return e.Op("Where", [isNear, rise, e.Sub(v.Out(), e.Scalar(MathF.Log(2)))]);
    }

    /// <summary>x·tanh(softplus(x)), Misra 2019 (arXiv 1908.08681): t + x·(1 − t²)·σ(x).</summary>
    public static string MishSlope(Vjp v)
    {
        var x = v.In(0);
        var t = v.E.Op("Tanh", [v.E.Op("Softplus", [x])]);
        return v.E.Add(t, v.E.Mul(v.E.Mul(x, Logistic(v)), v.E.Sub(v.E.Scalar(1), v.E.Mul(t, t))));
    }

    /// <summary>x·σ(αx), Ramachandran et al. 2017 (arXiv 1710.05941): σ(αx) + αx·σ'(αx).</summary>
    public static string SwishSlope(Vjp v)
    {
        var alpha = v.Node.Float("alpha", 1);
        return v.E.Add(Logistic(v, alpha), v.E.Mul(v.E.Scaled(v.In(0), alpha), LogisticSlope(v, alpha)));
    }

    /// <summary>x·Φ(x), Hendrycks and Gimpel 2016 (arXiv 1606.08415): Φ(x) + x·φ(x), exact or in its tanh form.</summary>
    public static string GeluSlope(Vjp v)
    {
        var (e, x, one, half) = (v.E, v.In(0), v.E.Scalar(1), v.E.Scalar(0.5f));
        if (v.Node.Text("approximate", "none") != "tanh")
        {
            var cdf = e.Mul(half, e.Add(one, e.Op("Erf", [e.Scaled(x, 1 / MathF.Sqrt(2))])));
            var density = e.Scaled(e.Op("Exp", [e.Mul(e.Scalar(-0.5f), e.Mul(x, x))]), 1 / MathF.Sqrt(2 * MathF.PI));
            return e.Add(cdf, e.Mul(x, density));
        }
        // t = tanh(c·(x + a·x³)); slope (1 + t)/2 + x·(1 − t²)·c·(1 + 3a·x²)/2
        var (c, a) = (MathF.Sqrt(2 / MathF.PI), 0.044715f);
        var square = e.Mul(x, x);
        var t = e.Op("Tanh", [e.Scaled(e.Mul(x, e.Add(one, e.Scaled(square, a))), c)]);
        var inner = e.Scaled(e.Add(one, e.Scaled(square, 3 * a)), c);
        return e.Mul(half, e.Add(e.Add(one, t), e.Mul(x, e.Mul(e.Sub(one, e.Mul(t, t)), inner))));
    }

    /// <summary>x·max(0, min(1, x/6 + 1/2)), Howard et al. 2019 (arXiv 1905.02244): 0 below −3, 1 above 3, x/3 + 1/2 between.</summary>
    public static string HardSwishSlope(Vjp v)
    {
        var (e, x) = (v.E, v.In(0));
        var between = e.Add(e.Scaled(x, 1f / 3), e.Scalar(0.5f));
        var below = e.Op("Where", [e.Op("Greater", [x, e.Scalar(-3)]), between, e.Scalar(0)]);
        return e.Op("Where", [e.Op("Less", [x, e.Scalar(3)]), below, e.Scalar(1)]);
    }

    /// <summary>J = diag(y) − y·yᵀ. Symmetric, so the same form gives the VJP and the remainder y − J·x.</summary>
    public static void Softmax(Vjp v)
    {
        var axis = Structural.Axis(v.Node.Int("axis", -1), v.InShape(0));
        // Of −∞ alone there is no softmax; what reads it leaves it out.
        var y = v.Finite(v.Out());
        v.TakeTangent();
        string Jacobian(string u, long along) => v.E.Mul(y, v.E.Sub(u, v.E.ReduceSum(v.E.Mul(u, y), along)));
        v.Give(0, Jacobian(v.G, axis + v.P));
        // A masked element is −∞ with y = 0 and adds nothing; as 0 it does so without 0·∞.
        var finite = v.E.Op("Where", [v.E.Op("Equal", [y, v.E.Scalar(0)]), v.E.Scalar(0), v.In(0)]);
        v.Offset(v.G, v.OutShape(), v.E.Sub(y, Jacobian(finite, axis)), v.OutShape());
    }

    /// <summary>J = I − 1·softmaxᵀ.</summary>
    public static void LogSoftmax(Vjp v)
    {
        var axis = Structural.Axis(v.Node.Int("axis", -1), v.InShape(0));
        v.TakeTangent();
        var probability = v.E.Op("Exp", [v.Out()]);
        v.Give(0, v.E.Sub(v.G, v.E.Mul(v.Finite(probability), v.E.ReduceSum(v.G, axis + v.P))));
        var applied = v.E.Sub(v.In(0), v.E.ReduceSum(v.Applied(probability, 0), axis));
        v.Offset(v.G, v.OutShape(), v.E.Sub(v.Out(), applied), v.OutShape());
    }
}
