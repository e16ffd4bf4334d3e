namespace MLNetLinearize.Tests.Oracle;

/// <summary>Images of any number of axes read at places between their pixels: GridSample, and DeformConv tap by tap.</summary>
internal static class DeformableOperators
{
    public static Dual Grid(OracleNode node)
    {
        var (x, grid) = (node.X, node[1]);
        var rank = x.Rank - 2;
        var (aligned, mode) = (node.Int("align_corners", 0) != 0, node.Text("mode", "linear"));
        // The first coordinate is that of the last axis.
        Dual Place(int axis)
        {
            var (unit, size) = (ShapeOperators.Range(grid, rank + 1, rank - 1 - axis, 1, 1).Reshaped(grid.Shape[..^1]), x.Shape[axis + 2]);
            return aligned ? (unit + Dual.Scalar(1)) * Dual.Scalar((size - 1) / 2.0) : unit * Dual.Scalar(size / 2.0) + Dual.Scalar((size - 1) / 2.0);
        }

        var places = Enumerable.Range(0, rank).Select(Place).ToArray();
        if (mode == "nearest") return Read(x, [.. places.Select(p => new Dual(p.Shape, [.. p.Value.Select(v => Math.Round(v, MidpointRounding.ToEven))]))], [(0, _ => Dual.Scalar(1))], Padding(node, aligned));
        return Read(x, places, mode is "cubic" or "bicubic" ? Cubic : Linear, Padding(node, aligned));
    }

    public static Dual Conv(OracleNode node)
    {
        var (x, w, offset) = (node.X, node[1], node[2]);
        var (groups, parts) = ((int)node.Int("group", 1), (int)node.Int("offset_group", 1));
        var (strides, dilations, pads) = (node.Sizes("strides", [1, 1]), node.Sizes("dilations", [1, 1]), node.Sizes("pads", [0, 0, 0, 0]));
        var (rows, taps, high, wide) = (x.Shape[0], w.Shape[2] * w.Shape[3], offset.Shape[2], offset.Shape[3]);
        Dual? y = null;
        for (var tap = 0; tap < taps; tap++)
        {
            var read = new List<Dual>();
            for (var part = 0; part < parts; part++)
            {
                var channels = x.Shape[1] / parts;
                Dual Place(int axis)
                {
                    var moved = ShapeOperators.Range(offset, 1, (part * taps + tap) * 2 + axis, 1, 1).Reshaped(rows, high, wide);
                    var k = axis == 0 ? tap / w.Shape[3] : tap % w.Shape[3];
                    return moved + new Dual([high, wide], [.. Enumerable.Range(0, high * wide).Select(i => (double)((axis == 0 ? i / wide : i % wide) * strides[axis] - pads[axis] + k * dilations[axis]))]);
                }

                var sample = Read(ShapeOperators.Range(x, 1, part * channels, 1, channels), [Place(0), Place(1)], Linear, Zeros);
                read.Add(node.Optional(4) is { } mask ? sample * ShapeOperators.Range(mask, 1, part * taps + tap, 1, 1) : sample);
            }
            var all = ShapeOperators.Join(read, 1).Reshaped(rows, x.Shape[1], high * wide);
            var products = Enumerable.Range(0, groups).Select(g =>
            {
                var (maps, channels) = (w.Shape[0] / groups, w.Shape[1]);
                var kernel = ShapeOperators.Range(ShapeOperators.Range(w.Reshaped(w.Shape[0], channels, taps), 2, tap, 1, 1).Reshaped(w.Shape[0], channels), 0, g * maps, 1, maps);
                return MatrixOperators.Multiply(kernel, ShapeOperators.Range(all, 1, g * channels, 1, channels));
            });
            var product = ShapeOperators.Join([.. products], 1).Reshaped(rows, w.Shape[0], high, wide);
            y = y is null ? product : y + product;
        }
        return node.Optional(3) is { } bias ? y! + bias.Reshaped(1, bias.Value.Length, 1, 1) : y!;
    }

    /// <summary>The pixels around a place, counted from the one before it, and their weights by the distance from that.</summary>
    private static readonly (int Offset, Func<Dual, Dual> Weight)[] Linear = [(0, t => Dual.Scalar(1) - t), (1, t => t)];

    /// <summary>Keys 1981 with a = −3/4: W(d) = (a + 2)d³ − (a + 3)d² + 1 up to a distance of 1, a(d³ − 5d² + 8d − 4) up to 2.</summary>
    private static readonly (int Offset, Func<Dual, Dual> Weight)[] Cubic =
    [
        (-1, t => ((t * Dual.Scalar(-0.75) + Dual.Scalar(1.5)) * t + Dual.Scalar(-0.75)) * t),
        (0, t => ((t * Dual.Scalar(1.25) + Dual.Scalar(-2.25)) * t + Dual.Scalar(0)) * t + Dual.Scalar(1)),
        (1, t => ((t * Dual.Scalar(-1.25) + Dual.Scalar(1.5)) * t + Dual.Scalar(0.75)) * t),
        (2, t => ((t * Dual.Scalar(0.75) + Dual.Scalar(-0.75)) * t + Dual.Scalar(0)) * t),
    ];

    private static int Zeros(int i, int size) => i < 0 || i >= size ? -1 : i;

    /// <summary>Which pixel of an axis is read at a whole place; −1 for none.</summary>
    private static Func<int, int, int> Padding(OracleNode node, bool aligned) => node.Text("padding_mode", "zeros") switch
    {
        "border" => (i, size) => Math.Clamp(i, 0, size - 1),
        "reflection" => (i, size) =>
        {
            // At the middles of the outermost pixels, or at their outer edges.
            var period = aligned ? 2 * (size - 1) : 2 * size;
            var at = (i % period + period) % period;
            return at < size ? at : aligned ? period - at : period - 1 - at;
        }
        ,
        _ => Zeros,
    };

    private static Dual Read(Dual x, Dual[] places, (int Offset, Func<Dual, Dual> Weight)[] taps, Func<int, int, int> padding)
    {
        int[] shape = [x.Shape[0], x.Shape[1], .. places[0].Shape[1..]];
        var (strides, own) = (Shapes.Strides(places[0].Shape), Shapes.Strides(x.Shape));
        var fractions = places.Select(p => p - new Dual(p.Shape, [.. p.Value.Select(Math.Floor)])).ToArray();
        Dual? sum = null;
        for (var corner = 0; corner < Math.Pow(taps.Length, places.Length); corner++)
        {
            var chosen = new int[places.Length];
            for (var (axis, rest) = (places.Length - 1, corner); axis >= 0; axis--, rest /= taps.Length) chosen[axis] = rest % taps.Length;
            var pixel = x.Pick(shape, Shapes.Map(shape, at =>
            {
                var place = Shapes.Flat([at[0], .. at[2..]], strides);
                int[] index = [.. chosen.Select((tap, axis) => padding((int)Math.Floor(places[axis].Value[place]) + taps[tap].Offset, x.Shape[axis + 2]))];
                return index.Contains(-1) ? -1 : Shapes.Flat([at[0], at[1], .. index], own);
            }));
            var weight = chosen.Select((tap, axis) => taps[tap].Weight(fractions[axis])).Aggregate((a, b) => a * b);
            var weighed = weight.Rank == 0 ? pixel * weight : pixel * weight.Reshaped([shape[0], 1, .. shape[2..]]);
            sum = sum is null ? weighed : sum + weighed;
        }
        return sum!;
    }
}
