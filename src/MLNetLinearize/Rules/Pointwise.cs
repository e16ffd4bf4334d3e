using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Rules;

/// <summary>
/// Functions of one number. A piecewise-linear one gives its slope where the forward pass went; a smooth one, by the
/// <see cref="Nonlinearity"/>, its tangent or its secant through f(0). Derivatives: Abramowitz and Stegun, Handbook of
/// Mathematical Functions, chapters 4 and 7.
/// </summary>
internal static class Pointwise
{
    /// <summary>Below this |z| the secant's slope (f(z) − f(0)) / z loses its digits and is replaced by its limit f'(0).</summary>
    private const float NearZero = 1e-4f;

    /// <summary>f(x) = slope·x with the slope read off the branch taken.</summary>
    public static Action<Vjp> Homogeneous(Func<Vjp, string> slope) => v => v.Give(0, v.Times(v.G, slope(v)));

    /// <summary>A smooth f with derivative <paramref name="derivative"/> and value <paramref name="atZero"/> at 0; null where that is not finite.</summary>
    /// <param name="derivative">f'.</param>
    /// <param name="atZero">f(0).</param>
    /// <param name="slopeAtZero">f'(0), on the element's side of it where there are two.</param>
    /// <param name="difference">f(z) − f(0) in a form that keeps its digits near 0; by subtraction when null.</param>
    public static Action<Vjp> Smooth(Func<Vjp, string> derivative, float? atZero, Func<Vjp, string> slopeAtZero, Func<Vjp, string>? difference = null) => v =>
    {
        var (x, y, shape) = (v.In(0), v.Out(), v.OutShape());
        string slope;
        if (v.Mode == Nonlinearity.Frozen && atZero is { } f0)
        {
            var near = v.E.Op("Less", [v.E.Op("Abs", [x]), v.E.Scalar(NearZero)]);
            var safe = v.E.Op("Where", [near, v.E.Scalar(1), x]);
            var rise = difference is not null ? difference(v) : f0 == 0 ? y : v.E.Sub(y, v.E.Scalar(f0));
            slope = v.E.Op("Where", [near, slopeAtZero(v), v.E.Div(rise, safe)]);
        }
        else
        {
            v.TakeTangent();
            slope = derivative(v);
        }
        v.Give(0, v.Times(v.G, slope));
        // Of the secant, y − slope·x is f(0) up to rounding, and also right where the limit stands in for it.
        v.Offset(v.G, shape, v.E.Sub(y, v.Applied(slope, 0)), shape);
    };

    /// <summary>1 where the output is positive: Relu'(0) = 0.</summary>
    public static void Relu(Vjp v)
    {
        if (BlockedLayout.Holds(v) && !IsBetweenOthers(v) && !v.IsGuarded) v.Give(0, v.E.Mul(BlockedLayout.Enter(v.E, v.G, v.OutShape()), BlockedLayout.IsPositive(v.E, v.Out(), v.OutShape())));
        else v.Give(0, v.Times(v.G, IsPositive(v.E, v.Out())));
    }

    /// <summary>1 where a tensor of no negative numbers is positive, else 0. ONNX Runtime converts to booleans and back three times faster than it takes signs.</summary>
    public static string IsPositive(Emitter e, string tensor) => e.Indicator(e.Cast(tensor, DataType.Bool));

    /// <summary>Whether neither what made the cotangent nor what takes it, a pool's winners, keeps the blocked layout.</summary>
    private static bool IsBetweenOthers(Vjp v) =>
        !BlockedLayout.IsBlocked(v.E, v.G) && v.Network.Graph.Nodes.Any(n => n.OpType == "MaxPool" && n.Output[0] == v.Node.Input[0]);

    public static string AbsSlope(Vjp v) => v.E.Op("Sign", [v.In(0)]);

    public static string LeakyReluSlope(Vjp v) => Leaky(v, v.E.Scalar(v.Node.Float("alpha", 0.01f)));

    public static string PReluSlope(Vjp v) => Leaky(v, v.In(1));

    /// <summary>Slope 1 strictly between the bounds; outside, the value itself is the offset.</summary>
    public static void Clip(Vjp v)
    {
        string? inside = null;
        if (v.HasInput(1)) inside = v.E.Op("Greater", [v.In(0), v.In(1)]);
        if (v.HasInput(2))
        {
            var below = v.E.Op("Less", [v.In(0), v.In(2)]);
            inside = inside is null ? below : v.E.Op("And", [inside, below]);
        }
        if (inside is null)
        {
            v.Give(0, v.G);
            return;
        }
        var mask = v.E.Indicator(inside);
        v.Give(0, v.Times(v.G, mask));
        v.Offset(v.G, v.OutShape(), v.E.Sub(v.Out(), v.E.Mul(v.Out(), mask)), v.OutShape());
    }

    /// <summary>max(0, min(1, αx + β)): slope α strictly between the bounds.</summary>
    public static void HardSigmoid(Vjp v)
    {
        var inside = v.E.Op("And", [v.E.Op("Greater", [v.Out(), v.E.Scalar(0)]), v.E.Op("Less", [v.Out(), v.E.Scalar(1)])]);
        var slope = v.E.Scaled(v.E.Indicator(inside), v.Node.Float("alpha", 0.2f));
        v.Give(0, v.Times(v.G, slope));
        v.Offset(v.G, v.OutShape(), v.E.Sub(v.Out(), v.Applied(slope, 0)), v.OutShape());
    }

    /// <summary>x drawn towards 0 by a bias outside [−λ, λ], 0 inside.</summary>
    public static void Shrink(Vjp v)
    {
        var outside = v.E.Indicator(v.E.Op("Greater", [v.E.Op("Abs", [v.In(0)]), v.E.Scalar(v.Node.Float("lambd", 0.5f))]));
        v.Give(0, v.Times(v.G, outside));
        v.Offset(v.G, v.OutShape(), v.E.Sub(v.Out(), v.Applied(outside, 0)), v.OutShape());
    }

    /// <summary>x^e with an explained exponent: slopes e·x^(e−1) and x^e·ln x, of which the second is 0 at x = 0.</summary>
    private static void PowerOfExplained(Vjp v)
    {
        var (x, exponent, e) = (v.In(0), v.In(1), v.E);
        v.TakeTangent();
        var toExponent = e.Mul(v.Out(), e.Op("Where", [e.Op("Equal", [x, e.Scalar(0)]), e.Scalar(0), e.Op("Log", [x])]));
        v.Give(1, v.Unbroadcast(v.Times(v.G, toExponent), v.OutShape(), v.InShape(1)));
        var rest = e.Sub(v.Out(), v.Applied(toExponent, 1));
        if (v.Active(0))
        {
            var toBase = e.Mul(exponent, e.Op("Pow", [x, e.Sub(exponent, e.Scalar(1))]));
            v.Give(0, v.Unbroadcast(v.Times(v.G, toBase), v.OutShape(), v.InShape(0)));
            rest = e.Sub(rest, v.Applied(toBase, 0));
        }
        v.Offset(v.G, v.OutShape(), rest, v.OutShape());
    }

    /// <summary>x^c with a constant exponent: slope c·x^(c−1). Below c = 1 the secant's limit at 0 is not finite, and the tangent is taken.</summary>
    public static void Pow(Vjp v)
    {
        if (v.Active(1))
        {
            PowerOfExplained(v);
            return;
        }
        var exponent = v.Network.Type(v.In(1)) == DataType.Float ? v.In(1) : v.E.Cast(v.In(1), DataType.Float); // integers are allowed
        string Derivative(Vjp w) => w.E.Mul(exponent, w.E.Op("Pow", [w.In(0), w.E.Sub(exponent, w.E.Scalar(1))]));
        if (v.Network.Constant(v.In(1)) is { } stored && stored.Count() == 1 && v.InShape(0).Same(v.OutShape()))
        {
            var c = stored.ElementType() == DataType.Float ? stored.ToSingle()[0] : stored.ToInt64()[0];
            Smooth(Derivative, c >= 1 ? 0 : null, w => w.E.Scalar(c == 1 ? 1 : 0))(v);
            return;
        }
        v.TakeTangent();
        var slope = Derivative(v);
        v.Give(0, v.Unbroadcast(v.Times(v.G, slope), v.OutShape(), v.InShape(0)));
        v.Offset(v.G, v.OutShape(), v.E.Sub(v.Out(), v.Applied(slope, 0)), v.OutShape());
    }

    /// <summary>Where a power is finite, by its exponent; of one that is computed, for any.</summary>
    public static Domain DomainOfPow(CanonicalNetwork network, NodeProto pow) => ValueRanges.Exponent(network, pow) switch
    {
        >= 1 and var c => c == Math.Truncate(c) ? Domain.All : Domain.NonNegative,
        < 0 and var c => c == Math.Truncate(c) ? Domain.Nonzero : Domain.Positive,
        _ => Domain.Roots,
    };

    /// <summary>The larger (or smaller) of two, all of the cotangent to one: the first where both are equal.</summary>
    public static Action<Vjp> Extremum(string comparison) => v =>
    {
        var first = v.E.Indicator(v.E.Op(comparison, [v.In(0), v.In(1)]));
        var toFirst = v.Times(v.G, first);
        var toSecond = v.Times(v.G, v.E.Sub(v.E.Scalar(1), first));
        foreach (var (i, g) in new[] { (0, toFirst), (1, toSecond) })
        {
            if (v.Active(i)) v.Give(i, v.Unbroadcast(g, v.OutShape(), v.InShape(i)));
            else v.Offset(g, v.OutShape(), v.In(i), v.InShape(i));
        }
    };

    public static void Where(Vjp v)
    {
        var zero = v.E.Scalar(0);
        foreach (var i in new[] { 1, 2 })
        {
            var g = v.E.Op("Where", i == 1 ? [v.In(0), v.G, zero] : [v.In(0), zero, v.G]);
            if (v.Active(i)) v.Give(i, v.Unbroadcast(g, v.OutShape(), v.InShape(i)));
            else v.Offset(g, v.OutShape(), v.In(i), v.InShape(i));
        }
    }

    private static string Leaky(Vjp v, string slope) => v.E.Op("Where", [v.E.Op("GreaterOrEqual", [v.In(0), v.E.Scalar(0)]), v.E.Scalar(1), slope]);
}
