namespace MLNetLinearize.Tests.Oracle;

/// <summary>Index arithmetic of dense row-major tensors.</summary>
internal static class Shapes
{
    public static int Count(IEnumerable<int> shape) => shape.Aggregate(1, (a, d) => checked(a * d));

    public static int[] Strides(int[] shape)
    {
        var strides = new int[shape.Length];
        for (int i = shape.Length - 1, s = 1; i >= 0; s *= shape[i--]) strides[i] = s;
        return strides;
    }

    public static int Axis(long axis, int rank) => (int)(axis < 0 ? axis + rank : axis);

    public static int[] Axes(IEnumerable<long> axes, int rank) => [.. axes.Select(a => Axis(a, rank)).Order()];

    /// <summary>Numpy's rule: align at the last axis, a size of 1 stretches.</summary>
    public static int[] Broadcast(params IReadOnlyList<int[]> shapes)
    {
        var result = Enumerable.Repeat(1, shapes.Max(s => s.Length)).ToArray();
        foreach (var shape in shapes)
            for (var i = 0; i < shape.Length; i++)
            {
                ref var d = ref result[i + result.Length - shape.Length];
                if (shape[i] != 1 && d != 1 && d != shape[i]) throw new ArgumentException($"Shapes {string.Join(" and ", shapes.Select(s => $"[{string.Join(", ", s)}]"))} do not broadcast.");
                if (shape[i] != 1) d = shape[i];
            }
        return result;
    }

    /// <summary>For each element of <paramref name="to"/> the element of <paramref name="from"/> it repeats.</summary>
    public static int[] BroadcastIndex(int[] from, int[] to)
    {
        var strides = Strides(from);
        var offset = to.Length - from.Length;
        return Map(to, at =>
        {
            var index = 0;
            for (var i = 0; i < from.Length; i++) if (from[i] != 1) index += at[i + offset] * strides[i];
            return index;
        });
    }

    /// <summary>Calls <paramref name="index"/> with the coordinates of each element in row-major order.</summary>
    public static T[] Map<T>(int[] shape, Func<int[], T> index)
    {
        var result = new T[Count(shape)];
        var at = new int[shape.Length];
        for (var i = 0; i < result.Length; i++)
        {
            result[i] = index(at);
            for (var d = shape.Length - 1; d >= 0 && ++at[d] == shape[d]; d--) at[d] = 0;
        }
        return result;
    }

    public static int Flat(int[] at, int[] strides)
    {
        var index = 0;
        for (var i = 0; i < at.Length; i++) index += at[i] * strides[i];
        return index;
    }

    /// <summary>The coordinates with axis <paramref name="axis"/> replaced.</summary>
    public static int[] With(this int[] shape, int axis, int size)
    {
        var copy = (int[])shape.Clone();
        copy[axis] = size;
        return copy;
    }

    public static int[] Ints(IEnumerable<long> values) => [.. values.Select(v => checked((int)v))];
}
