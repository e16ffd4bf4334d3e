using MLNetLinearize.Onnx;

namespace MLNetLinearize.Rules;

/// <summary>
/// Updates put into data along one axis, at indices that are no function of what is explained. With a reduction, an element
/// is made of the datum and of all updates that meet there: their sum, product, or the one winner of an extremum.
/// </summary>
/// <param name="v">The node.</param>
/// <param name="axis">The axis that the indices count along.</param>
/// <param name="data">What is written into.</param>
/// <param name="index">Where: of the shape of the updates.</param>
/// <param name="updates">What is written.</param>
/// <param name="output">The result, of the shape of the data.</param>
/// <param name="g">The cotangent of the result.</param>
/// <param name="targetIndex">The indices, for every target.</param>
internal sealed class Scattered(Vjp v, int axis, string data, string index, string updates, string output, string g, string targetIndex)
{
    private readonly Emitter e = v.E;
    private readonly string reduction = v.Node.Text("reduction", "none");

    /// <summary>What kind of map the reduction makes of the node; updates that are explained may meet each other.</summary>
    public static RuleKind Kind(NodeProto node, bool areUpdatesExplained) => node.Text("reduction", "none") switch
    {
        "max" or "min" => RuleKind.PiecewiseLinear,
        "mul" when areUpdatesExplained => RuleKind.Smooth,
        _ => RuleKind.Linear,
    };

    /// <summary>Gives data and updates their cotangents, and the bias what comes from neither.</summary>
    /// <param name="asData">A cotangent in the shape of the node's data.</param>
    /// <param name="asUpdates">The same of its updates.</param>
    public void Give(Func<string, string> asData, Func<string, string> asUpdates)
    {
        var picked = e.Op("GatherElements", [g, targetIndex], ("axis", (long)(axis + v.P)));
        switch (reduction)
        {
            case "none":
                Share(0, asData(Put(g, targetIndex, e.Zeros(e.Shape(picked)), "none", v.P)));
                Share(2, asUpdates(picked));
                break;
            case "add":
                Share(0, asData(g));
                Share(2, asUpdates(picked));
                break;
            case "mul":
                Product(picked, asData, asUpdates);
                break;
            default:
                var (kept, wins) = Winners();
                Share(0, asData(e.Mul(g, kept)));
                Share(2, asUpdates(e.Mul(picked, wins)));
                break;
        }
    }

    /// <summary>
    /// Slopes are the products of the other factors: all divided by its own, but for zeros, which are counted (no other
    /// factor may be 0). The remainder is y − n·y, where n factors are explained; a factor that is constant has no part.
    /// </summary>
    private void Product(string picked, Func<string, string> asData, Func<string, string> asUpdates)
    {
        if (v.Active(2)) v.TakeTangent();
        var (one, zero) = (e.Scalar(1), e.Scalar(0));
        var isZero = e.Op("Equal", [updates, zero]);
        var ones = e.Filled(e.Shape(data), 1);
        var zeros = Put(e.Zeros(e.Shape(data)), index, e.Indicator(isZero), "add");
        var rest = Put(ones, index, e.Op("Where", [isZero, one, updates]), "mul");
        if (v.Active(0)) v.Give(0, asData(e.Mul(g, Only(zeros, zero, rest))));
        if (v.Active(2))
        {
            // The zeros among the others, and the product of the others that are none.
            var others = e.Sub(At(zeros), e.Indicator(isZero));
            var product = e.Div(At(rest), e.Op("Where", [isZero, one, updates]));
            v.Give(2, asUpdates(e.Mul(picked, e.Mul(At(data), Only(others, zero, product)))));
        }
        var explained = v.Active(2) ? Put(e.Filled(e.Shape(data), v.Active(0) ? 1 : 0), index, e.Filled(e.Shape(updates), 1), "add") : one;
        v.Offset(asData(g), v.InShape(0), e.Reshape(e.Mul(output, e.Sub(one, explained)), v.InShape(0).Open), v.InShape(0));
    }

    /// <summary>Which element won: the datum where it is the extremum, else the first of the updates that are.</summary>
    private (string Kept, string Wins) Winners()
    {
        var kept = e.Indicator(e.Op("Equal", [data, output]));
        var ties = e.Op("And", [e.Op("Equal", [updates, At(output)]), e.Op("Equal", [At(kept), e.Scalar(0)])]);
        var order = e.Op("CumSum", [e.Filled(e.Shape(updates), 1), e.Ints(axis)]);
        var never = e.Scalar(float.MaxValue);
        var first = Put(e.Filled(e.Shape(data), float.MaxValue), index, e.Op("Where", [ties, order, never]), "min");
        return (kept, e.Indicator(e.Op("And", [ties, e.Op("Equal", [order, At(first)])])));
    }

    private void Share(int input, string cotangent)
    {
        if (v.Active(input)) v.Give(input, cotangent);
        else v.Offset(cotangent, v.InShape(input), v.In(input), v.InShape(input));
    }

    private string Only(string count, string zero, string product) => e.Mul(e.Indicator(e.Op("Equal", [count, zero])), product);

    private string At(string tensor) => e.Op("GatherElements", [tensor, index], ("axis", (long)axis));

    private string Put(string into, string where, string what, string how, int before = 0) => e.Op("ScatterElements", [into, where, what], ("axis", (long)(axis + before)), ("reduction", how));
}
