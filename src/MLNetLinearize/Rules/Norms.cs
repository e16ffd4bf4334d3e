using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;

namespace MLNetLinearize.Rules;

/// <summary>Reductions whose slope depends on the elements. The cotangent is spread over the reduced axes and meets the slope.</summary>
internal static class Norms
{
    /// <summary>Σ|x|: homogeneous, no remainder.</summary>
    public static void L1(Vjp v) => Slope(v, v.E.Op("Sign", [v.In(0)]));

    /// <summary>√Σx²: slope x/y, homogeneous, no remainder. Where all elements are 0 the slope is 0 and not 0/0.</summary>
    public static void L2(Vjp v) => Slope(v, v.E.Div(v.In(0), v.E.Op("Max", [KeptOutput(v), v.E.Scalar(1e-38f)])));

    /// <summary>Σx²: slope 2x, remainder y − 2y.</summary>
    public static void SumSquare(Vjp v)
    {
        v.TakeTangent();
        Slope(v, v.E.Scaled(v.In(0), 2));
        v.Offset(v.G, v.OutShape(), v.Out(), v.OutShape(), -1);
    }

    /// <summary>log Σx: slope 1/Σx = e^−y, remainder y − 1.</summary>
    public static void LogSum(Vjp v)
    {
        v.TakeTangent();
        var slope = v.E.Mul(v.ReshapeTo(v.G, Reductions.Kept(v)), v.E.Op("Exp", [v.E.Neg(KeptOutput(v))]));
        v.Give(0, v.ExpandTo(slope, v.InShape(0))); // the same for every element
        v.Offset(v.G, v.OutShape(), v.E.Sub(v.Out(), v.E.Scalar(1)), v.OutShape());
    }

    /// <summary>log Σe^x: slope softmax = e^(x−y), remainder y − Σ softmax·x.</summary>
    public static void LogSumExp(Vjp v)
    {
        v.TakeTangent();
        var slope = v.E.Op("Exp", [v.E.Sub(v.In(0), KeptOutput(v))]);
        Slope(v, slope);
        var kept = Reductions.Kept(v);
        var applied = v.E.ReduceSum(v.E.Mul(slope, v.In(0)), [.. Reductions.Axes(v).Select(a => (long)a)]);
        v.Offset(v.ReshapeTo(v.G, kept), kept, v.E.Sub(KeptOutput(v), applied), kept);
    }

    private static void Slope(Vjp v, string slope) => v.Give(0, v.E.Mul(v.ReshapeTo(v.G, Reductions.Kept(v)), slope));

    private static string KeptOutput(Vjp v) => v.Node.Int("keepdims", 1) != 0 ? v.Out() : v.E.Reshape(v.Out(), Reductions.Kept(v).Open);
}
