using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;

namespace MLNetLinearize.Rules;

/// <summary>Picking and putting element by element, with indices that are no function of what is explained.</summary>
internal static class Indexed
{
    public static void GatherElements(Vjp v)
    {
        var axis = At(v, v.InShape(0));
        v.Give(0, v.E.Op("ScatterElements", [v.Zeros(v.In(0)), Index(v, v.In(1), v.InShape(1)), v.G], ("axis", axis), ("reduction", "add")));
    }

    public static void ScatterElements(Vjp v)
    {
        var axis = Structural.Axis(v.Node.Int("axis", 0), v.InShape(0));
        var put = new Scattered(v, axis, v.In(0), v.In(1), v.In(2), v.Out(), v.G, Index(v, v.In(1), v.InShape(1)));
        put.Give(g => g, g => g);
    }

    /// <summary>The k largest (or smallest) values, picked by the indices that the operator itself reports.</summary>
    public static void TopK(Vjp v)
    {
        var axis = Structural.Axis(v.Node.Int("axis", -1), v.InShape(0));
        var indices = Index(v, v.RequireOutput(1), v.OutShape());
        v.Give(0, v.E.Op("ScatterElements", [v.Zeros(v.In(0)), indices, v.G], ("axis", axis + v.P), ("reduction", "add")));
    }

    private static long At(Vjp v, TensorShape shape) => Structural.Axis(v.Node.Int("axis", 0), shape) + v.P;

    /// <summary>The indices, repeated for every target.</summary>
    private static string Index(Vjp v, string indices, TensorShape shape) => v.P == 0 ? indices : v.ExpandTo(indices, shape);
}
