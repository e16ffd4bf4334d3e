using MLNetLinearize.Canonicalization;

namespace MLNetLinearize.Rules;

/// <summary>Sums, products and quotients, with broadcasting.</summary>
internal static class Arithmetic
{
    public static void Sum(Vjp v)
    {
        for (var i = 0; i < v.Node.Input.Count; i++) Term(v, i, 1);
    }

    public static void Mean(Vjp v)
    {
        for (var i = 0; i < v.Node.Input.Count; i++) Term(v, i, 1f / v.Node.Input.Count);
    }

    public static void Sub(Vjp v)
    {
        Term(v, 0, 1);
        Term(v, 1, -1);
    }

    public static void Neg(Vjp v) => v.Give(0, v.E.Neg(v.G));

    public static void Mul(Vjp v)
    {
        if (v.Active(0) && v.Active(1)) Product(v, v.Times, v.Times);
        else if (v.Active(0)) v.Give(0, v.Unbroadcast(v.Times(v.G, v.In(1)), v.OutShape(), v.InShape(0)));
        else v.Give(1, v.Unbroadcast(v.Times(v.G, v.In(0)), v.OutShape(), v.InShape(1)));
    }

    /// <summary>
    /// a/b with b explained too: ∂/∂a = 1/b, ∂/∂b = −y/b. The tangent's remainder is y − (y − y) = y where both are
    /// explained, and y + y where only b is. <c>Frozen</c> has no finite f(0) for 1/b, so the tangent is used there as well,
    /// unless b is a normaliser's statistic, which is held.
    /// </summary>
    public static void Div(Vjp v)
    {
        var slope = v.IsGuarded ? v.Times(v.G, v.E.Op("Reciprocal", [v.In(1)])) : v.E.Div(v.G, v.In(1));
        if (v.Active(0)) v.Give(0, v.Unbroadcast(slope, v.OutShape(), v.InShape(0)));
        if (!v.Active(1) || v.Active(0) && v.IsHeld(1)) return;
        v.TakeTangent();
        v.Give(1, v.Unbroadcast(v.E.Neg(v.Times(slope, v.Out())), v.OutShape(), v.InShape(1)));
        v.Offset(v.G, v.OutShape(), v.Out(), v.OutShape(), v.Active(0) ? 1 : 2);
    }

    /// <summary>a − q·b, with the whole quotient q held: it jumps, and has no slope.</summary>
    public static void Mod(Vjp v)
    {
        var quotient = v.E.Op("Round", [v.E.Div(v.E.Sub(v.In(0), v.Out()), v.In(1))]);
        if (v.Active(0)) v.Give(0, v.Unbroadcast(v.G, v.OutShape(), v.InShape(0)));
        else v.OffsetInput(0);
        var toDivisor = v.E.Neg(v.E.Mul(v.G, quotient));
        if (v.Active(1)) v.Give(1, v.Unbroadcast(toDivisor, v.OutShape(), v.InShape(1)));
        else v.Offset(toDivisor, v.OutShape(), v.In(1), v.InShape(1));
    }

    /// <summary>
    /// A product of two explained factors. Tangent: y = ab has the differential b·da + a·db, which at the point itself comes
    /// to 2y, so −y goes to the bias. Frozen: a gate is held at its value for this row; otherwise each factor carries half.
    /// </summary>
    public static void Product(Vjp v, Func<string, string, string> toFirst, Func<string, string, string> toSecond)
    {
        var (first, second) = v.Shares();
        if (first > 0) v.Give(0, v.Unbroadcast(toFirst(v.E.Scaled(v.G, first), v.In(1)), v.OutShape(), v.InShape(0)));
        if (second > 0) v.Give(1, v.Unbroadcast(toSecond(v.E.Scaled(v.G, second), v.In(0)), v.OutShape(), v.InShape(1)));
        if (v.Mode == Nonlinearity.Tangent) v.Offset(v.G, v.OutShape(), v.Out(), v.OutShape(), -1);
    }

    private static void Term(Vjp v, int i, float factor)
    {
        if (v.Active(i)) v.Give(i, v.Unbroadcast(v.E.Scaled(v.G, factor), v.OutShape(), v.InShape(i)));
        else v.OffsetInput(i, factor);
    }
}
