namespace MLNetLinearize.Tests.Oracle;

/// <summary>Operators that move elements or tell a tensor's shape.</summary>
internal static class ShapeOperators
{
    public static Dual Reshape(OracleNode node)
    {
        var x = node.X;
        var wanted = Shapes.Ints(node.IntsOf("shape", 1)!);
        if (node.Int("allowzero", 0) == 0) wanted = [.. wanted.Select((d, i) => d == 0 ? x.Shape[i] : d)];
        var known = wanted.Where(d => d != -1).Aggregate(1, (a, d) => a * d);
        return x.Reshaped([.. wanted.Select(d => d == -1 ? x.Value.Length / known : d)]);
    }

    public static Dual Flatten(OracleNode node)
    {
        var axis = Shapes.Axis(node.Int("axis", 1), node.X.Rank);
        return node.X.Reshaped(Shapes.Count(node.X.Shape[..axis]), Shapes.Count(node.X.Shape[axis..]));
    }

    public static Dual Transpose(OracleNode node) => Permute(node.X, node.Sizes("perm", [.. Enumerable.Range(0, node.X.Rank).Reverse()]));

    public static Dual Permute(Dual x, int[] order)
    {
        var strides = Shapes.Strides(x.Shape);
        int[] shape = [.. order.Select(a => x.Shape[a])];
        return x.Pick(shape, Shapes.Map(shape, at => at.Select((c, i) => c * strides[order[i]]).Sum()));
    }

    public static Dual Squeeze(OracleNode node)
    {
        var x = node.X;
        var axes = node.IntsOf("axes", 1) is { } given ? Shapes.Axes(given, x.Rank) : [.. Enumerable.Range(0, x.Rank).Where(d => x.Shape[d] == 1)];
        return x.Reshaped([.. x.Shape.Where((_, i) => !axes.Contains(i))]);
    }

    public static Dual Unsqueeze(OracleNode node)
    {
        var given = node.IntsOf("axes", 1)!;
        var shape = new List<int>(node.X.Shape);
        foreach (var axis in Shapes.Axes(given, node.X.Rank + given.Length)) shape.Insert(axis, 1);
        return node.X.Reshaped([.. shape]);
    }

    public static Dual Concat(OracleNode node) => Join(node.Inputs, Shapes.Axis(node.Int("axis", 1), node.X.Rank));

    public static Dual Join(IReadOnlyList<Dual> parts, int axis)
    {
        var shape = parts[0].Shape.With(axis, parts.Sum(p => p.Shape[axis]));
        var owner = parts.SelectMany((p, k) => Enumerable.Range(0, p.Shape[axis]).Select(offset => (Part: k, Offset: offset))).ToArray();
        var strides = parts.Select(p => Shapes.Strides(p.Shape)).ToArray();
        var which = Shapes.Map(shape, at => owner[at[axis]].Part);
        return Dual.Select(shape, parts, which, Shapes.Map(shape, at => Shapes.Flat(at.With(axis, owner[at[axis]].Offset), strides[owner[at[axis]].Part])));
    }

    /// <summary>Elements of the update at the row's position, of the cache elsewhere.</summary>
    public static Dual WriteInto(OracleNode node)
    {
        var (x, update, axis) = (node.X, node[1], Shapes.Axis(node.Int("axis", -2), node.X.Rank));
        // Where a circular cache was written from is known up to its size.
        var size = node.Text("mode", "linear") == "circular" ? x.Shape[axis] : 0;
        int Offset(int[] at)
        {
            var offset = at[axis] - (int)(node.Optional(2)?.Value[at[0]] ?? 0);
            return size == 0 ? offset : (offset % size + size) % size;
        }
        var which = Shapes.Map(x.Shape, at => Offset(at) >= 0 && Offset(at) < update.Shape[axis] ? 1 : 0);
        var (own, other) = (Shapes.Strides(x.Shape), Shapes.Strides(update.Shape));
        return Dual.Select(x.Shape, [x, update], which, Shapes.Map(x.Shape, at => Offset(at) >= 0 && Offset(at) < update.Shape[axis] ? Shapes.Flat(at.With(axis, Offset(at)), other) : Shapes.Flat(at, own)));
    }

    public static IReadOnlyList<Dual> Split(OracleNode node)
    {
        var axis = Shapes.Axis(node.Int("axis", 0), node.X.Rank);
        var size = node.X.Shape[axis];
        var part = (size + node.OutputCount - 1) / node.OutputCount;
        var sizes = node.IntsOf("split", 1) is { } given ? Shapes.Ints(given) : [.. Enumerable.Range(0, node.OutputCount).Select(i => Math.Min(part, size - i * part))];
        var results = new List<Dual>();
        for (int i = 0, start = 0; i < sizes.Length; start += sizes[i++]) results.Add(Range(node.X, axis, start, 1, sizes[i]));
        return results;
    }

    public static Dual Slice(OracleNode node)
    {
        var x = node.X;
        var (starts, ends) = (node.IntsOf("starts", 1)!, node.IntsOf("ends", 2)!);
        var axes = node.IntsOf("axes", 3) ?? [.. Enumerable.Range(0, starts.Length).Select(i => (long)i)];
        var steps = node.Optional(4)?.Integers;
        for (var i = 0; i < starts.Length; i++)
        {
            var axis = Shapes.Axis(axes[i], x.Rank);
            var (size, step) = (x.Shape[axis], steps is null ? 1 : (int)steps[i]);
            long From(long p) => p < 0 ? Math.Max(p + size, step > 0 ? 0 : -1) : p;
            var start = (int)Math.Clamp(From(starts[i]), 0, step > 0 ? size : size - 1);
            var end = (int)Math.Clamp(From(ends[i]), step > 0 ? 0 : -1, size);
            x = Range(x, axis, start, step, Math.Max(0, (end - start + step - Math.Sign(step)) / step));
        }
        return x;
    }

    public static Dual Pad(OracleNode node)
    {
        var x = node.X;
        var given = Shapes.Ints(node.IntsOf("pads", 1)!);
        var axes = node.Optional(3) is { } named ? [.. named.Integers.Select(a => Shapes.Axis(a, x.Rank))] : Enumerable.Range(0, x.Rank).ToArray();
        var (begin, end) = (new int[x.Rank], new int[x.Rank]);
        for (var i = 0; i < axes.Length; i++) (begin[axes[i]], end[axes[i]]) = (given[i], given[i + axes.Length]);
        int[] shape = [.. x.Shape.Select((d, i) => d + begin[i] + end[i])];
        var (strides, mode) = (Shapes.Strides(x.Shape), node.Text("mode", "constant"));
        var index = Shapes.Map(shape, at =>
        {
            var flat = 0;
            for (var d = 0; d < at.Length; d++)
            {
                var (p, last) = (at[d] - begin[d], x.Shape[d] - 1);
                if (mode == "reflect") p = p < 0 ? -p : p > last ? 2 * last - p : p;
                else if (mode == "wrap") p = (p % (last + 1) + last + 1) % (last + 1);
                else if (mode == "edge") p = Math.Clamp(p, 0, last);
                else if (p < 0 || p > last) return -1;
                flat += p * strides[d];
            }
            return flat;
        });
        if (node.Optional(2) is { IsConstant: false } border) return x.Pick(shape, index) + border.Pick(shape, [.. index.Select(i => i < 0 ? 0 : -1)]);
        return x.Pick(shape, index, node.Has("value") ? node.Float("value", 0) : node.Optional(2)?.Value[0] ?? 0);
    }

    public static Dual Tile(OracleNode node)
    {
        var (x, repeats) = (node.X, node[1].Integers);
        var strides = Shapes.Strides(x.Shape);
        int[] shape = [.. x.Shape.Select((d, i) => d * (int)repeats[i])];
        return x.Pick(shape, Shapes.Map(shape, at => at.Select((c, i) => c % x.Shape[i] * strides[i]).Sum()));
    }

    public static Dual Expand(OracleNode node) => node.X.BroadcastTo(Shapes.Broadcast(node.X.Shape, Shapes.Ints(node[1].Integers)));

    public static Dual ConstantOfShape(OracleNode node)
    {
        var (shape, value) = (Shapes.Ints(node.X.Integers), node.Tensor("value"));
        return new(shape, [.. Enumerable.Repeat(value?.Value[0] ?? 0, Shapes.Count(shape))], null, value?.IsInteger ?? false);
    }

    /// <summary>Whole numbers: start, start + delta, … below the limit.</summary>
    public static Dual Range(OracleNode node)
    {
        var (start, limit, delta) = (node[0].Integers[0], node[1].Integers[0], node[2].Integers[0]);
        var count = (int)Math.Max(0, Math.Ceiling((limit - start) / (double)delta));
        return Dual.Whole([count], [.. Enumerable.Range(0, count).Select(i => start + i * delta)]);
    }

    public static Dual EyeLike(OracleNode node) => new(node.X.Shape, [.. node.X.Value.Select((_, i) => i / node.X.Shape[1] + node.Int("k", 0) == i % node.X.Shape[1] ? 1.0 : 0)]);

    public static Dual Constant(OracleNode node) =>
        node.Tensor("value")
        ?? (node.Has("value_float") ? Dual.Scalar(node.Float("value_float", 0)) : null)
        ?? (node.Has("value_int") ? Dual.Whole([], [node.Int("value_int", 0)]) : null)
        ?? (node.Floats("value_floats") is { } floats ? new Dual([floats.Length], [.. floats.Select(v => (double)v)]) : null)
        ?? (node.Ints("value_ints") is { } ints ? Dual.Whole([ints.Length], ints) : throw new NotSupportedException("Constant without a numeric value."));

    public static Dual Shape(OracleNode node)
    {
        var (rank, shape) = (node.X.Rank, node.X.Shape);
        var (start, end) = (Math.Clamp(Shapes.Axis(node.Int("start", 0), rank), 0, rank), Math.Clamp(Shapes.Axis(node.Int("end", rank), rank), 0, rank));
        return Dual.Whole([Math.Max(0, end - start)], shape[start..Math.Max(start, end)].Select(d => (long)d));
    }

    /// <summary>Casts among floating-point types keep the tangents; a cast to integers is a step, constant around the row.</summary>
    public static Dual Cast(OracleNode node) => node.Int("to", 1) switch
    {
        1 or 11 => new(node.X.Shape, node.X.Value, node.X.Columns),
        9 => Dual.Whole(node.X.Shape, node.X.Value.Select(v => v != 0 ? 1L : 0)),
        2 or 3 or 5 or 6 or 7 or 12 or 13 => Dual.Whole(node.X.Shape, node.X.Value.Select(v => (long)v)),
        >= 17 and <= 20 and var to => QuantizationOperators.Cast(node, (Onnx.TensorProto.Types.DataType)to),
        var to => throw new NotSupportedException($"Cast to element type {to}."),
    };

    public static Dual Range(Dual x, int axis, int start, int step, int count)
    {
        var (strides, shape) = (Shapes.Strides(x.Shape), x.Shape.With(axis, count));
        return x.Pick(shape, Shapes.Map(shape, at => Shapes.Flat(at.With(axis, start + at[axis] * step), strides)));
    }
}
