namespace MLNetLinearize.Tests.Oracle;

/// <summary>Images read at computed places: GridSample with a grid that depends on the row, and DeformConv, tap by tap.</summary>
internal static class DeformableOperators
{
    public static Dual Grid(OracleNode node)
    {
        var (x, grid) = (node.X, node[1]);
        Dual Place(int coordinate, int size)
        {
            var unit = ShapeOperators.Range(grid, 3, coordinate, 1, 1).Reshaped(grid.Shape[..3]);
            var place = node.Int("align_corners", 0) != 0
                ? (unit + Dual.Scalar(1)) * Dual.Scalar((size - 1) / 2.0)
                : unit * Dual.Scalar(size / 2.0) + Dual.Scalar((size - 1) / 2.0);
            return node.Text("padding_mode", "zeros") == "border" ? place.Pointwise(z => Math.Clamp(z, 0, size - 1), z => z > 0 && z < size - 1 ? 1 : 0) : place;
        }

        return Read(x, Place(0, x.Shape[3]), Place(1, x.Shape[2]));
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

                var sample = Read(ShapeOperators.Range(x, 1, part * channels, 1, channels), Place(1), Place(0));
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

    /// <summary>Bilinear interpolation at [N, h, w] places; beyond the image lie zeros.</summary>
    private static Dual Read(Dual x, Dual column, Dual row)
    {
        int[] shape = [x.Shape[0], x.Shape[1], .. column.Shape[1..]];
        var strides = Shapes.Strides(column.Shape);
        var own = Shapes.Strides(x.Shape);
        Dual Nearness(Dual place, int side)
        {
            var rest = place - new Dual(place.Shape, [.. place.Value.Select(Math.Floor)]);
            return side == 1 ? rest : Dual.Scalar(1) - rest;
        }

        Dual? sum = null;
        foreach (var (i, j) in new[] { (0, 0), (0, 1), (1, 0), (1, 1) })
        {
            var corner = x.Pick(shape, Shapes.Map(shape, at =>
            {
                var place = Shapes.Flat([at[0], at[2], at[3]], strides);
                var (r, c) = ((int)Math.Floor(row.Value[place]) + i, (int)Math.Floor(column.Value[place]) + j);
                return r < 0 || c < 0 || r >= x.Shape[2] || c >= x.Shape[3] ? -1 : Shapes.Flat([at[0], at[1], r, c], own);
            }));
            var weight = Nearness(row, i) * Nearness(column, j);
            var weighed = corner * weight.Reshaped([shape[0], 1, .. shape[2..]]);
            sum = sum is null ? weighed : sum + weighed;
        }
        return sum!;
    }
}
