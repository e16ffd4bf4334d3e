using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Tests.Oracle;

/// <summary>
/// A tensor in forward mode: its value and, where it depends on the explained input, one tangent column per direction plus
/// the bias column, the part of the value that no input contributed. At every tensor <c>value = J·x + bias</c>.
/// </summary>
/// <remarks>
/// A column has the shape of the value, so a linear operator is written once, for one array, and applied to value and
/// columns alike. A tensor without columns is constant: zero tangents, and its value is its bias.
/// </remarks>
internal sealed class Dual
{
    public Dual(int[] shape, double[] value, double[][]? columns = null, bool isInteger = false)
    {
        if (Shapes.Count(shape) != value.Length) throw new ArgumentException($"[{string.Join(", ", shape)}] does not hold {value.Length} elements.");
        Shape = shape;
        Value = value;
        Columns = columns;
        IsInteger = isInteger;
    }

    public int[] Shape { get; }

    public double[] Value { get; }

    /// <summary>Tangents, then the bias as the last column; null for a constant.</summary>
    public double[][]? Columns { get; }

    /// <summary>Whether the elements are integers or booleans, so that Div truncates.</summary>
    public bool IsInteger { get; }

    /// <summary>What the elements of a zero point are stored as, which is what is then quantized to.</summary>
    public DataType StoredAs { get; init; } = DataType.Uint8;

    /// <summary>What the tensor is as a factor of a product, which matters to <see cref="Nonlinearity.Frozen"/>.</summary>
    public Role Role { get; private init; }

    public int Rank => Shape.Length;

    public bool IsConstant => Columns is null;

    public long[] Integers => [.. Value.Select(v => (long)Math.Round(v))];

    public static Dual Scalar(double value) => new([], [value]);

    public Dual WithoutColumns() => new(Shape, Value, null, IsInteger);

    public static Dual Whole(int[] shape, IEnumerable<long> values) => new(shape, [.. values.Select(v => (double)v)], null, true);

    /// <summary>Value and tangents moved by up to a unit of float32's last place; whole numbers stay.</summary>
    public Dual Rounded(Random random)
    {
        double[] Move(double[] of) => [.. of.Select(v => v * (1 + Math.ScaleB(2 * random.NextDouble() - 1, -23)))];
        return IsInteger ? this : new(Shape, Move(Value), Columns is null ? null : [.. Columns.Select(Move)]) { Role = Role };
    }

    public Dual As(Role role) => new(Shape, Value, Columns, IsInteger) { Role = role };

    /// <summary>A linear operator: the same function for the value and for every column.</summary>
    public Dual Linear(int[] shape, Func<double[], double[]> apply) => new(shape, apply(Value), Columns?.Select(apply).ToArray());

    /// <summary>
    /// An operator linear in each of two tensors. Tangent: <c>B(da, b) + B(a, db)</c>; in the bias column the product itself
    /// is subtracted once, because both terms carry it.
    /// </summary>
    /// <remarks>Frozen: a gate is held at its value; otherwise each factor carries half, and nothing is left over.</remarks>
    public static Dual Bilinear(Dual a, Dual b, int[] shape, Func<double[], double[], double[]> apply, Func<double[], double[], double[]>? applyToTangents = null)
    {
        var value = apply(a.Value, b.Value);
        apply = applyToTangents ?? apply;
        if (Reading.IsFrozen && !a.IsConstant && !b.IsConstant)
        {
            if ((a.Role == Role.Gate) != (b.Role == Role.Gate)) return a.Role == Role.Gate ? Bilinear(a.WithoutColumns(), b, shape, apply) : Bilinear(a, b.WithoutColumns(), shape, apply);
            var halves = a.Columns!.Zip(b.Columns!, (da, db) => apply(da, b.Value).Zip(apply(a.Value, db), (l, r) => (l + r) / 2).ToArray());
            return new(shape, value, halves.ToArray());
        }
        if (a.IsConstant && b.IsConstant) return new(shape, value, null, a.IsInteger && b.IsInteger);
        var columns = new double[(a.Columns ?? b.Columns)!.Length][];
        for (var c = 0; c < columns.Length; c++)
        {
            if (b.IsConstant) columns[c] = apply(a.Columns![c], b.Value);
            else if (a.IsConstant) columns[c] = apply(a.Value, b.Columns![c]);
            else
            {
                var (left, right) = (apply(a.Columns![c], b.Value), apply(a.Value, b.Columns![c]));
                for (var i = 0; i < left.Length; i++) left[i] += right[i] - (c == columns.Length - 1 ? value[i] : 0);
                columns[c] = left;
            }
        }
        return new(shape, value, columns);
    }

    /// <summary>A function of each element: tangents are scaled by f'(z); the remainder <c>f(z) − f'(z)·z</c> goes to the bias.</summary>
    public Dual Pointwise(Func<double, double> f, Func<double, double> derivative)
    {
        var value = Value.Select(f).ToArray();
        if (Columns is null) return new(Shape, value);
        var slope = Value.Select(derivative).ToArray();
        // A direction in which nothing moves moves nothing, however steep the function is.
        var columns = Columns.Select(column => column.Select((v, i) => slope[i] == 0 || v == 0 ? 0 : slope[i] * v).ToArray()).ToArray();
        for (var i = 0; i < value.Length; i++)
        {
            if (slope[i] != 0 && !double.IsFinite(slope[i]) && Columns.SkipLast(1).All(c => c[i] == 0)) columns[^1][i] = value[i];
            else columns[^1][i] += value[i] - (slope[i] == 0 ? 0 : slope[i] * Value[i]);
        }
        return new(Shape, value, columns);
    }

    /// <summary>
    /// A smooth function: its tangent, or in the frozen reading its secant through f(0), where that and its limit at 0 are finite;
    /// close to 0 the limit from the element's side.
    /// </summary>
    public Dual Smooth(Func<double, double> f, Func<double, double> derivative)
    {
        var atZero = f(0);
        if (!Reading.IsFrozen || !double.IsFinite(atZero) || !double.IsFinite(derivative(0))) return Pointwise(f, derivative);
        return Pointwise(f, z => Math.Abs(z) < 1e-4 ? derivative(1e-200 * z) : (f(z) - atZero) / z);
    }

    /// <summary>Element i of the result is element <c>index[i]</c>; −1 stands for the constant <paramref name="fill"/>.</summary>
    public Dual Pick(int[] shape, int[] index, double fill = 0)
    {
        double[] Take(double[] from, double otherwise)
        {
            var to = new double[index.Length];
            for (var i = 0; i < to.Length; i++) to[i] = index[i] < 0 ? otherwise : from[index[i]];
            return to;
        }

        return new(shape, Take(Value, fill), Columns?.Select((c, i) => Take(c, i == Columns.Length - 1 ? fill : 0)).ToArray(), IsInteger) { Role = Role };
    }

    /// <summary>Element i of the result is element <c>index[i]</c> of tensor <c>which[i]</c>.</summary>
    public static Dual Select(int[] shape, IReadOnlyList<Dual> sources, int[] which, int[] index)
    {
        double[] Take(IReadOnlyList<double[]?> from)
        {
            var to = new double[which.Length];
            for (var i = 0; i < to.Length; i++) to[i] = from[which[i]] is { } source ? source[index[i]] : 0;
            return to;
        }

        var value = Take([.. sources.Select(s => s.Value)]);
        var count = sources.Max(s => s.Columns?.Length ?? 0);
        if (count == 0) return new(shape, value, null, sources.All(s => s.IsInteger));
        var columns = Enumerable.Range(0, count).Select(c => Take([.. sources.Select(s => s.IsConstant ? (c == count - 1 ? s.Value : null) : s.Columns![c])])).ToArray();
        return new(shape, value, columns);
    }

    public Dual Reshaped(params int[] shape) => new(shape, Value, Columns, IsInteger) { Role = Role };

    public Dual BroadcastTo(int[] shape) => Shape.SequenceEqual(shape) ? this : Pick(shape, Shapes.BroadcastIndex(Shape, shape));

    public static Dual operator +(Dual a, Dual b) => Sum(a, b, 1);

    public static Dual operator -(Dual a, Dual b) => Sum(a, b, -1);

    public static Dual operator *(Dual a, Dual b)
    {
        var shape = Shapes.Broadcast(a.Shape, b.Shape);
        double[] Product(double[] l, double[] r) => [.. l.Select((v, i) => v * r[i])];
        // A slope that is multiplied by 0 is none, be it infinite.
        double[] OfTangents(double[] l, double[] r) => [.. l.Select((v, i) => v == 0 || r[i] == 0 ? 0 : v * r[i])];
        return Bilinear(a.BroadcastTo(shape), b.BroadcastTo(shape), shape, Product, OfTangents);
    }

    /// <remarks>1/b has no finite value at 0, so the frozen reading takes the tangent here too, unless b is a gate.</remarks>
    public static Dual operator /(Dual a, Dual b) => b.Role == Role.Gate ? a * b.Reciprocal() : Reading.Tangent(() => a * b.Reciprocal());

    public Dual Reciprocal() => Pointwise(z => 1 / z, z => -1 / (z * z)).As(Role);

    private static Dual Sum(Dual a, Dual b, double sign)
    {
        var shape = Shapes.Broadcast(a.Shape, b.Shape);
        var (l, r) = (a.BroadcastTo(shape), b.BroadcastTo(shape));
        double[] Combine(double[]? x, double[]? y)
        {
            var sum = new double[l.Value.Length];
            for (var i = 0; i < sum.Length; i++) sum[i] = (x?[i] ?? 0) + sign * (y?[i] ?? 0);
            return sum;
        }

        var count = Math.Max(l.Columns?.Length ?? 0, r.Columns?.Length ?? 0);
        var columns = Enumerable.Range(0, count).Select(c => Combine(Column(l, c, count), Column(r, c, count))).ToArray();
        return new(shape, Combine(l.Value, r.Value), count == 0 ? null : columns, a.IsInteger && b.IsInteger) { Role = IsStatistic(a, b) || IsStatistic(b, a) ? Role.Statistic : Role.None };
    }

    /// <summary>With its ε, a statistic is one still.</summary>
    private static bool IsStatistic(Dual one, Dual other) => one.Role == Role.Statistic && other.IsConstant;

    private static double[]? Column(Dual x, int c, int count) => x.Columns?[c] ?? (c == count - 1 ? x.Value : null);
}
