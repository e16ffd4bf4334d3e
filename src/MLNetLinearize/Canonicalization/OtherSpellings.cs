using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Canonicalization;

/// <summary>Operators that other operators say as well.</summary>
internal static class OtherSpellings
{
    /// <summary>
    /// Range takes scalars. ONNX Runtime's kernel also takes vectors of one element, its shape inference does not, and sees that they are vectors
    /// once an If is gone between them.
    /// </summary>
    public static void GiveScalars(Graph graph)
    {
        for (var i = 0; i < graph.Nodes.Count; i++)
        {
            if (!graph.Nodes[i].IsStandard() || graph.Nodes[i].OpType != "Range") continue;
            var range = graph.Nodes[i].Clone();
            for (var n = 0; n < range.Input.Count; n++)
            {
                if (graph.Initializers.TryGetValue(range.Input[n], out var stored) && stored.Dims.Count == 0) continue;
                var scalar = graph.Fresh($"{range.Name}/scalar");
                graph.Nodes.Insert(i++, Nodes.Create("Reshape", [range.Input[n], graph.AddInitializer(Tensors.Of("none", Array.Empty<long>(), 0))], [scalar], scalar));
                range.Input[n] = scalar;
            }
            graph.Nodes[i] = range;
        }
    }

    public static void CastLike(Expansion x) => x.Output(0, x.Cast(x.In(0), x.Type(1)));

    /// <summary>Both values computed from the row: off + mask·(on − off).</summary>
    public static void OneHot(Expansion x)
    {
        var mask = x.Op("OneHot", [x.In(0), x.In(1), x.Floats([0, 1], 2)], ("axis", x.Node.Int("axis", -1)));
        var off = x.Slice(x.In(2), 0, 1, 0);
        x.Output(0, x.Add(off, x.Mul(mask, x.Sub(x.Slice(x.In(2), 1, 2, 0), off))));
    }

    /// <summary>Cuts, or fills up with zeros, around the middle; an odd one more falls to the end.</summary>
    public static void CenterCropPad(Expansion x)
    {
        var (shape, dims) = (x.StoredInts(1)!, x.Dims(0));
        var axes = x.Node.Ints("axes") ?? [.. Enumerable.Range(0, dims.Length).Select(i => (long)i)];
        var y = x.In(0);
        for (var i = 0; i < axes.Length; i++)
        {
            var axis = x.Axis(0, axes[i]);
            var (from, to) = (dims[axis], shape[i]);
            if (from > to) y = x.Slice(y, (from - to) / 2, (from - to) / 2 + to, axis);
            if (from < to) y = x.Op("Pad", [y, x.Ints((to - from) / 2, to - from - (to - from) / 2), "", x.Ints(axis)]);
        }
        x.Output(0, y);
    }

    /// <summary>A stored condition picks the same slices, or elements, of every row.</summary>
    public static void Compress(Expansion x)
    {
        var kept = x.StoredInts(1)!.Select((c, i) => (Kept: c != 0, At: (long)i)).Where(c => c.Kept).Select(c => c.At).ToArray();
        var (from, axis) = x.Node.Has("axis") ? (x.In(0), x.Node.Int("axis", 0)) : (x.Reshape(x.In(0), -1), 0);
        x.Output(0, x.Op("Gather", [from, x.Ints(kept)], ("axis", axis)));
    }

    /// <summary>
    /// The padding of a pool with auto_pad SAME_UPPER or SAME_LOWER, written out. ONNX Runtime's kernels pad a dilated one as if it were
    /// not, and where a stride is above the kernel they may pad by less than nothing and begin inside the image; of neither do the
    /// specification and its own shape inference know.
    /// </summary>
    public static void SamePool(Expansion x)
    {
        var kernel = x.Node.Ints("kernel_shape")!;
        var strides = x.Node.Ints("strides") ?? Repeat(1, kernel.Length);
        var (image, pads) = (x.In(0), new long[2 * kernel.Length]);
        for (var i = 0; i < kernel.Length; i++)
        {
            var size = x.Dims(0)[i + 2];
            var total = (size - 1) / strides[i] * strides[i] + kernel[i] - size;
            var before = (x.Node.Text("auto_pad", "") == "SAME_LOWER" ? total + 1 : total) / 2;
            (pads[i], pads[kernel.Length + i]) = (Math.Max(0, before), Math.Max(0, total - before));
            if (total >= 0) continue;
            if (x.Node.Output.Skip(1).Any(o => o.Length > 0))
                throw new ExpansionException($"its windows are further apart than {kernel[i]} elements, auto_pad makes them begin inside the image, and its Indices are read", "export the model with pads instead of auto_pad");
            image = x.Slice(image, -before, size + total - before, i + 2);
        }
        var pool = x.Node.Clone().Remove("auto_pad").Set("pads", pads);
        pool.Input[0] = image;
        x.Nodes.Add(pool);
    }

    /// <summary>Whether a pool may be one of these.</summary>
    public static bool IsSamePool(NodeProto node) =>
        node.Text("auto_pad", "NOTSET").StartsWith("SAME", StringComparison.Ordinal)
        && (node.Ints("dilations")?.Any(d => d > 1) == true || node.Ints("strides") is { } strides && node.Ints("kernel_shape") is { } kernel && strides.Zip(kernel, (s, k) => s > k).Any(above => above));

    /// <summary>Products of all elements up to each, one multiplication after the other.</summary>
    public static void CumProd(Expansion x)
    {
        var axis = x.Axis(0, x.StoredInts(1)![0]);
        var size = x.Dims(0)[axis];
        ExpansionException.ThrowIfAbove(x.MaxSteps, size, $"it multiplies {size:N0} elements one after the other");
        var factors = x.Split(x.In(0), (int)size, axis);
        var (reverse, exclusive) = (x.Node.Int("reverse", 0) != 0, x.Node.Int("exclusive", 0) != 0);
        if (reverse) Array.Reverse(factors);
        var products = new List<string> { factors[0] };
        foreach (var factor in factors.Skip(1)) products.Add(x.Mul(products[^1], factor));
        if (exclusive) products = [x.Add(x.Mul(factors[0], x.Scalar(0f)), x.Scalar(1f)), .. products.SkipLast(1)];
        if (reverse) products.Reverse();
        x.Output(0, x.Concat([.. products], axis));
    }

    /// <summary>Columns laid back into the image, sums where they overlap: a ConvTranspose whose kernels are the unit vectors.</summary>
    public static void Col2Im(Expansion x)
    {
        var (image, block) = (x.StoredInts(1)!, x.StoredInts(2)!);
        var rank = image.Length;
        var strides = x.Node.Ints("strides") ?? Repeat(1, rank);
        var dilations = x.Node.Ints("dilations") ?? Repeat(1, rank);
        var pads = x.Node.Ints("pads") ?? new long[2 * rank];
        var (blocks, missing) = (new long[rank], new long[rank]);
        for (var i = 0; i < rank; i++)
        {
            var span = image[i] + pads[i] + pads[rank + i] - dilations[i] * (block[i] - 1) - 1;
            (blocks[i], missing[i]) = (span / strides[i] + 1, span % strides[i]);
        }
        var size = block.Aggregate(1L, (a, d) => a * d);
        var unit = new float[size * size];
        for (var i = 0; i < size; i++) unit[i * (size + 1)] = 1;
        var channels = x.Dims(0)[1] / size;
        var columns = x.Reshape(x.In(0), [-1, size, .. blocks]);
        var images = x.Op("ConvTranspose", [columns, x.Floats(unit, [size, 1, .. block])], ("strides", strides), ("dilations", dilations), ("pads", pads), ("output_padding", missing));
        x.Output(0, x.Reshape(images, [-1, channels, .. image]));
    }

    /// <summary>Every point of the grid, in homogeneous coordinates from −1 to 1, times the row's matrix.</summary>
    public static void AffineGrid(Expansion x)
    {
        long[] space = [.. x.StoredInts(1)!.Skip(2)];
        var aligned = x.Node.Int("align_corners", 0) != 0;
        float At(long i, long n) => aligned ? n == 1 ? 0 : -1 + 2f * i / (n - 1) : (2f * i + 1) / n - 1;
        var (rank, count) = (space.Length, space.Aggregate(1L, (a, d) => a * d));
        var points = new float[count * (rank + 1)];
        for (var p = 0L; p < count; p++)
        {
            // The last axis of the image is x, the first coordinate.
            var rest = p;
            for (var k = 0; k < rank; rest /= space[rank - 1 - k], k++) points[p * (rank + 1) + k] = At(rest % space[rank - 1 - k], space[rank - 1 - k]);
            points[p * (rank + 1) + rank] = 1;
        }
        var grid = x.Op("MatMul", [x.Floats(points, 1, count, rank + 1), x.Transpose(x.In(0), 0, 2, 1)]);
        x.Output(0, x.Reshape(grid, [0, .. space, rank]));
    }

    /// <summary>Writes new keys or values into each row's cache, from the row's position on; a circular cache begins again at its end.</summary>
    public static void TensorScatter(Expansion x)
    {
        var axis = x.Axis(0, x.Node.Int("axis", -2));
        var (size, count) = (x.Dims(0)[axis], x.Dims(1)[axis]);
        var isCircular = x.Node.Text("mode", "linear") == "circular";
        var stored = x.InOrNull(2) is null ? [0] : x.Value(2)?.ToInt64();
        if (stored?.Select(p => isCircular ? p % size : p).Distinct().ToArray() is [var at] && at + count <= size)
        {
            List<string> parts = [];
            if (at > 0) parts.Add(x.Slice(x.In(0), 0, at, axis));
            parts.Add(x.In(1));
            if (at + count < size) parts.Add(x.Slice(x.In(0), at + count, size, axis));
            x.Output(0, x.Concat([.. parts], axis));
            return;
        }
        var behind = Repeat(1, x.Rank(0) - axis - 1);
        var steps = x.Reshape(x.Ints([.. Enumerable.Range(0, (int)count).Select(i => (long)i)]), [count, .. behind]);
        var places = x.Add(x.Reshape(x.In(2), [-1, .. Repeat(1, x.Rank(0) - 1)]), steps);
        if (isCircular) places = x.Op("Mod", [places, x.Ints(size)]);
        x.Output(0, x.Op("ScatterElements", [x.In(0), x.Op("Expand", [places, x.Op("Shape", [x.In(1)])]), x.In(1)], ("axis", (long)axis)));
    }

    private static long[] Repeat(long value, int count) => [.. Enumerable.Repeat(value, count)];
}
