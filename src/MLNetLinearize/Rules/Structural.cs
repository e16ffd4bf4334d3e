using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;

namespace MLNetLinearize.Rules;

/// <summary>Operators that move, repeat, cut or join elements: linear, without a number of their own.</summary>
internal static class Structural
{
    public static void Identity(Vjp v) => v.Give(0, v.G);

    public static void Reshape(Vjp v) => v.Give(0, v.ReshapeTo(v.G, v.InShape(0), v.OutShape()));

    public static void Transpose(Vjp v)
    {
        var rank = v.InShape(0).Rank;
        var perm = v.Node.Ints("perm") ?? [.. Enumerable.Range(0, rank).Reverse().Select(i => (long)i)];
        var inverse = new long[rank + v.P];
        for (var i = 0; i < rank; i++) inverse[perm[i] + v.P] = i + v.P;
        v.Give(0, v.E.Transpose(v.G, inverse));
    }

    public static void Expand(Vjp v) => v.Give(0, v.Unbroadcast(v.G, v.OutShape(), v.InShape(0)));

    public static void Concat(Vjp v)
    {
        var axis = Axis(v.Node.Int("axis", 0), v.OutShape());
        long start = 0;
        for (var i = 0; i < v.Node.Input.Count; i++)
        {
            var shape = v.InShape(i);
            var end = start + shape.Dims[axis];
            if (shape.Dims[axis] > 0)
            {
                var part = v.E.Slice(v.G, start, end, axis + v.P);
                if (v.Active(i)) v.Give(i, part);
                else v.Offset(part, v.OutShape() with { Dims = [.. v.OutShape().Dims.Select((d, k) => k == axis ? shape.Dims[axis] : d)] }, v.In(i), shape);
            }
            start = end;
        }
    }

    public static void Split(Vjp v)
    {
        var axis = Axis(v.Node.Int("axis", 0), v.InShape(0));
        v.Give(0, v.E.Concat(v.Node.Output.Select((o, i) => v.Cotangents[i] ?? v.Zeros(o)), axis + v.P));
    }

    /// <summary>A slice of step 1 is undone by padding with zeros; other steps put their elements back one by one.</summary>
    public static void Slice(Vjp v)
    {
        var shape = v.InShape(0);
        var (starts, ends) = (v.ConstantInts(1)!, v.ConstantInts(2)!);
        var axes = v.ConstantInts(3) ?? [.. Enumerable.Range(0, starts.Length).Select(i => (long)i)];
        var steps = v.ConstantInts(4) ?? [.. Enumerable.Repeat(1L, starts.Length)];
        var g = v.G;
        var pads = new long[2 * shape.Rank];
        for (var k = 0; k < axes.Length; k++)
        {
            var axis = Axis(axes[k], shape);
            var size = shape.Dims[axis];
            var start = Clamp(starts[k], size, steps[k]);
            var length = v.OutShape().Dims[axis];
            if (axis == shape.BatchAxis)
            {
                if (steps[k] == 1 && start == 0 && ends[k] >= int.MaxValue) continue;
                throw new RuleException("it slices the batch axis", "slice inside a row only");
            }
            if (steps[k] == 1) (pads[axis], pads[shape.Rank + axis]) = (start, size - start - length);
            else g = Scatter(v, g, [.. Enumerable.Range(0, (int)length).Select(i => start + i * steps[k])], axis, size);
        }
        v.Give(0, pads.All(p => p == 0) ? g : Padded(v, g, pads));
    }

    /// <summary>Padding with a constant: its transpose cuts the border off (and a negative pad, a cut, is filled with zeros).</summary>
    public static void Pad(Vjp v)
    {
        var shape = v.InShape(0);
        var given = v.ConstantInts(1)!;
        var axes = v.ConstantInts(3) ?? [.. Enumerable.Range(0, shape.Rank).Select(i => (long)i)];
        var pads = new long[2 * shape.Rank];
        for (var k = 0; k < axes.Length; k++)
        {
            var axis = Axis(axes[k], shape);
            (pads[axis], pads[shape.Rank + axis]) = (given[k], given[axes.Length + k]);
        }
        var mode = v.Node.Text("mode", "constant");
        if (mode != "constant")
        {
            v.Give(0, Repeated(v, pads, mode));
            return;
        }
        v.Give(0, Padded(v, v.G, [.. pads.Select(p => -p)]));
        if (!v.HasInput(2) || v.Network.Constant(v.In(2)) is { } value && value.ToSingle() is [0]) return;
        var border = v.E.Op("Pad", [v.E.Zeros(v.E.Shape(v.In(0))), v.E.Ints(pads), v.In(2)]);
        v.Offset(v.G, v.OutShape(), border, v.OutShape());
    }

    /// <summary>Repetition: the cotangents of all copies add up.</summary>
    public static void Tile(Vjp v)
    {
        var shape = v.InShape(0);
        var repeats = v.ConstantInts(1)!;
        var split = new List<long>();
        var axes = new List<long>();
        for (var i = 0; i < shape.Rank; i++)
        {
            if (repeats[i] != 1)
            {
                if (i == shape.BatchAxis) throw new RuleException("it repeats the batch axis", "repeat inside a row only");
                axes.Add(split.Count + v.P);
                split.Add(repeats[i]);
            }
            split.Add(shape.Open[i]);
        }
        v.Give(0, v.ReshapeTo(v.E.ReduceSum(v.E.Reshape(v.G, v.Prefixed(split)), [.. axes]), shape));
    }

    public static void Trilu(Vjp v) => v.Give(0, v.E.Op("Trilu", v.HasInput(1) ? [v.G, v.In(1)] : [v.G], ("upper", v.Node.Int("upper", 1))));

    public static void DepthToSpace(Vjp v)
    {
        var (shape, block) = (v.OutShape(), v.Node.Int("blocksize", 1));
        var g = v.Fold(v.G, shape);
        if (v.Node.Text("mode", "DCR") == "DCR")
        {
            v.Give(0, v.Unfold(v.E.Op("SpaceToDepth", [g], ("blocksize", block)), v.InShape(0)));
            return;
        }
        var blocks = v.E.Reshape(g, -1, shape.Dims[1], shape.Dims[2] / block, block, shape.Dims[3] / block, block);
        v.Give(0, v.ReshapeTo(v.E.Transpose(blocks, 0, 1, 3, 5, 2, 4), v.InShape(0)));
    }

    public static void SpaceToDepth(Vjp v) =>
        v.Give(0, v.Unfold(v.E.Op("DepthToSpace", [v.Fold(v.G, v.OutShape())], ("blocksize", v.Node.Int("blocksize", 1))), v.InShape(0)));

    /// <summary>Picks slices by indices that are no function of what is explained; each cotangent slice is added where it was picked.</summary>
    public static void Gather(Vjp v)
    {
        var shape = v.InShape(0);
        var axis = Axis(v.Node.Int("axis", 0), shape);
        if (axis == shape.BatchAxis) throw new RuleException("it picks rows of the batch axis", "pick inside a row only");
        if (v.InShape(1).HasBatch) throw new RuleException("it picks by other indices for each row", "explain one row at a time");
        long[] flat = [.. shape.Open.Take(axis), v.InShape(1).Count, .. shape.Open.Skip(axis + 1)];
        v.Give(0, Scatter(v, v.E.Reshape(v.G, v.Prefixed(flat)), v.In(1), axis, shape.Dims[axis]));
    }

    /// <summary>Reversing the first elements of each sequence undoes itself. The targets' axis waits at the end.</summary>
    public static void ReverseSequence(Vjp v)
    {
        var rank = v.OutShape().Rank;
        long[] last = [.. Enumerable.Range(1, rank).Select(i => (long)i), 0], first = [rank, .. Enumerable.Range(0, rank).Select(i => (long)i)];
        var g = v.P == 0 ? v.G : v.E.Transpose(v.G, last);
        g = v.E.Op("ReverseSequence", [g, v.In(1)], ("time_axis", v.Node.Int("time_axis", 0)), ("batch_axis", v.Node.Int("batch_axis", 1)));
        v.Give(0, v.P == 0 ? g : v.E.Transpose(g, first));
    }

    public static int Axis(long axis, TensorShape shape) => (int)(axis < 0 ? axis + shape.Rank : axis);

    /// <summary>Puts slice i of <paramref name="g"/> at index <paramref name="indices"/>[i] of a zero tensor along an axis; equal indices add up.</summary>
    private static string Scatter(Vjp v, string g, long[] indices, int axis, long size) => Scatter(v, g, v.E.Ints(indices), axis, size);

    private static string Scatter(Vjp v, string g, string indices, int axis, long size)
    {
        var shape = v.E.Shape(g);
        var at = axis + v.P;
        var rank = v.InShape(0).Rank + v.P;
        var target = v.E.Op("ScatterElements", [shape, v.E.Ints(at), v.E.Ints(size)], ("axis", 0));
        var index = v.E.Op("Expand", [v.E.Reshape(indices, [.. Enumerable.Range(0, rank).Select(i => i == at ? -1L : 1)]), shape]);
        return v.E.Op("ScatterElements", [v.E.Zeros(target), index, g], ("axis", (long)at), ("reduction", "add"));
    }

    /// <summary>Padding that repeats elements of the input picks by index along each axis; the cotangents go back to where they were picked.</summary>
    private static string Repeated(Vjp v, long[] pads, string mode)
    {
        var (shape, g) = (v.InShape(0), v.G);
        for (var axis = 0; axis < shape.Rank; axis++)
        {
            var (begin, end, size) = (pads[axis], pads[shape.Rank + axis], shape.Dims[axis]);
            if (begin == 0 && end == 0) continue;
            if (axis == shape.BatchAxis) throw new RuleException("it pads the batch axis", "pad inside a row only");
            var indices = Enumerable.Range(0, (int)(begin + size + end)).Select(i => Source(i - begin, size, mode)).ToArray();
            g = Scatter(v, g, indices, axis, size);
        }
        return g;
    }

    private static long Source(long i, long size, string mode)
    {
        switch (mode)
        {
            case "edge":
                return Math.Clamp(i, 0, size - 1);
            case "wrap":
                return (i % size + size) % size;
            default: // reflect, the border element itself not repeated
                if (size == 1) return 0;
                var period = 2 * (size - 1);
                var at = (i % period + period) % period;
                return at < size ? at : period - at;
        }
    }

    private static string Padded(Vjp v, string g, long[] pads)
    {
        var rank = pads.Length / 2;
        var none = Enumerable.Repeat(0L, v.P);
        return v.E.Op("Pad", [g, v.E.Ints([.. none, .. pads.Take(rank), .. none, .. pads.Skip(rank)])]);
    }

    private static long Clamp(long start, long size, long step)
    {
        if (start < 0) start += size;
        return step > 0 ? Math.Clamp(start, 0, size) : Math.Clamp(start, 0, size - 1);
    }
}
