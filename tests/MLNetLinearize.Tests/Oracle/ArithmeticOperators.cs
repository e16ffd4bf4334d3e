namespace MLNetLinearize.Tests.Oracle;

/// <summary>Elementwise operators of several tensors, with broadcasting.</summary>
internal static class ArithmeticOperators
{
    public static Dual Binary(OracleNode node)
    {
        var (a, b) = (node.X, Aligned(node));
        return node.Operator switch
        {
            "Add" => a + b,
            "Sub" => a - b,
            "Mul" => a * b,
            "Div" when a.IsInteger && b.IsInteger => Dual.Whole(Shapes.Broadcast(a.Shape, b.Shape), (a / b).Value.Select(v => (long)v)),
            "Div" => a / b,
            _ => throw new NotSupportedException(node.Operator),
        };
    }

    /// <summary>a less the whole multiples of b, counted towards zero.</summary>
    public static Dual Remainder(OracleNode node)
    {
        var shape = Shapes.Broadcast(node.X.Shape, node[1].Shape);
        var (a, b) = (node.X.BroadcastTo(shape), node[1].BroadcastTo(shape));
        // The sign is the dividend's with fmod, else the divisor's.
        return a - b * new Dual(shape, [.. a.Value.Zip(b.Value, (x, y) => node.Int("fmod", 0) != 0 ? Math.Truncate(x / y) : Math.Floor(x / y))]);
    }

    public static Dual CumulativeProduct(OracleNode node)
    {
        var (x, axis) = (node.X, Shapes.Axis(node[1].Integers[0], node.X.Rank));
        var size = x.Shape[axis];
        var (parts, product) = (new Dual[size], (Dual?)null);
        for (var k = 0; k < size; k++)
        {
            var at = node.Int("reverse", 0) != 0 ? size - 1 - k : k;
            var own = ShapeOperators.Range(x, axis, at, 1, 1);
            var next = product is null ? own : product * own;
            parts[at] = node.Int("exclusive", 0) == 0 ? next : product ?? new Dual(own.Shape, [.. own.Value.Select(_ => 1.0)]);
            product = next;
        }
        return ShapeOperators.Join(parts, axis);
    }

    public static Dual Sum(OracleNode node) => node.Inputs.Aggregate((a, b) => a + b);

    public static Dual Mean(OracleNode node) => Sum(node) * Dual.Scalar(1.0 / node.Inputs.Count);

    /// <summary>The first of equal operands wins.</summary>
    public static Dual Extremum(OracleNode node, int sign)
    {
        var shape = Shapes.Broadcast([.. node.Inputs.Select(i => i.Shape)]);
        var operands = node.Inputs.Select(i => i.BroadcastTo(shape)).ToList();
        var which = new int[Shapes.Count(shape)];
        for (var i = 0; i < which.Length; i++)
            for (var k = 1; k < operands.Count; k++)
                if (sign * operands[k].Value[i] > sign * operands[which[i]].Value[i]) which[i] = k;
        return Dual.Select(shape, operands, which, [.. Enumerable.Range(0, which.Length)]);
    }

    public static Dual Where(OracleNode node)
    {
        var shape = Shapes.Broadcast(node.X.Shape, node[1].Shape, node[2].Shape);
        return Where(node.X.BroadcastTo(shape).Value.Select(v => v != 0), shape, node[1].BroadcastTo(shape), node[2].BroadcastTo(shape));
    }

    public static Dual Where(IEnumerable<bool> condition, int[] shape, Dual yes, Dual no)
    {
        var which = condition.Select(c => c ? 0 : 1).ToArray();
        return Dual.Select(shape, [yes, no], which, [.. Enumerable.Range(0, which.Length)]);
    }

    /// <summary>Masks carry no tangents: they are constant around the row.</summary>
    public static Dual Compare(OracleNode node)
    {
        var shape = Shapes.Broadcast([.. node.Inputs.Select(i => i.Shape)]);
        var (a, b) = (node.X.BroadcastTo(shape).Value, node.Inputs.Count > 1 ? node[1].BroadcastTo(shape).Value : []);
        bool Test(int i) => node.Operator switch
        {
            "Greater" => a[i] > b[i],
            "GreaterOrEqual" => a[i] >= b[i],
            "Less" => a[i] < b[i],
            "LessOrEqual" => a[i] <= b[i],
            "Equal" => a[i] == b[i],
            "And" => a[i] != 0 && b[i] != 0,
            "Or" => a[i] != 0 || b[i] != 0,
            "Xor" => a[i] != 0 != (b[i] != 0),
            "Not" => a[i] == 0,
            _ => throw new NotSupportedException(node.Operator),
        };
        return Dual.Whole(shape, Enumerable.Range(0, a.Length).Select(i => Test(i) ? 1L : 0));
    }

    /// <summary>Steps are constant around the row.</summary>
    public static Dual Step(OracleNode node, Func<double, double> f) => new(node.X.Shape, [.. node.X.Value.Select(f)]);

    /// <summary>Before opset 7 broadcasting was asked for, and could start at another axis than the last.</summary>
    private static Dual Aligned(OracleNode node)
    {
        var (a, b) = (node.X, node[1]);
        if (node.Opset >= 7 || !node.Has("axis")) return b;
        var axis = Shapes.Axis(node.Int("axis", 0), a.Rank);
        return b.Reshaped([.. b.Shape, .. Enumerable.Repeat(1, a.Rank - axis - b.Rank)]);
    }
}
