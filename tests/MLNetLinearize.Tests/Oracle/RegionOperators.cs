namespace MLNetLinearize.Tests.Oracle;

/// <summary>RoiAlign and MaxRoiPool, region by region and point by point.</summary>
internal static class RegionOperators
{
    /// <summary>Means of points between the pixels of a region's cells (He et al. 2017, arXiv 1703.06870), or the largest of all weighed pixels that these are sums of.</summary>
    public static Dual Align(OracleNode node)
    {
        var (x, rois, images) = (node.X, node[1].Value, node[2].Integers);
        var (oh, ow, given, scale) = ((int)node.Int("output_height", 1), (int)node.Int("output_width", 1), (int)node.Int("sampling_ratio", 0), node.Float("spatial_scale", 1));
        var (channels, h, w) = (x.Shape[1], x.Shape[2], x.Shape[3]);
        var half = node.Opset >= 16 && node.Text("coordinate_transformation_mode", "half_pixel") == "half_pixel" ? 0.5 : 0;
        List<Dual> cells = [];
        for (var r = 0; r < images.Length; r++)
        {
            var (left, top, right, bottom) = (rois[4 * r] * scale - half, rois[4 * r + 1] * scale - half, rois[4 * r + 2] * scale - half, rois[4 * r + 3] * scale - half);
            var (wide, high) = (right - left, bottom - top);
            if (half == 0) (wide, high) = (Math.Max(wide, 1), Math.Max(high, 1));
            var (down, across) = (given > 0 ? given : (int)Math.Ceiling(high / oh), given > 0 ? given : (int)Math.Ceiling(wide / ow));
            for (var c = 0; c < channels; c++)
                for (var cell = 0; cell < oh * ow; cell++)
                {
                    List<Dual> points = [], terms = [];
                    for (var i = 0; i < down * across; i++)
                    {
                        var (row, column) = (top + high / oh * (cell / ow + (i / across + 0.5) / down), left + wide / ow * (cell % ow + (i % across + 0.5) / across));
                        var corners = Corners(x, ((int)images[r] * channels + c) * h * w, row, column, h, w);
                        terms.AddRange(corners);
                        points.Add(corners.Aggregate((a, b) => a + b));
                    }
                    cells.Add(node.Text("mode", "avg") == "avg" ? points.Aggregate((a, b) => a + b) * Dual.Scalar(1.0 / points.Count) : Largest(terms));
                }
        }
        return Joined(cells, [images.Length, channels, oh, ow]);
    }

    /// <summary>Maxima of the pixels of a region's cells; 0 where there are none (Girshick 2015, arXiv 1504.08083).</summary>
    public static Dual MaxPool(OracleNode node)
    {
        var (x, rois, scale, pooled) = (node.X, node[1], node.Float("spatial_scale", 1), node.Sizes("pooled_shape", []));
        var (channels, h, w) = (x.Shape[1], x.Shape[2], x.Shape[3]);
        List<Dual> cells = [];
        for (var r = 0; r < rois.Shape[0]; r++)
        {
            // Image, left, top, right, bottom.
            var roi = rois.Value[(5 * r)..(5 * r + 5)];
            int[] at = [.. roi[1..].Select(v => (int)Math.Floor(v * scale + 0.5))];
            var (wide, high) = (Math.Max(at[2] - at[0] + 1, 1), Math.Max(at[3] - at[1] + 1, 1));
            for (var c = 0; c < channels; c++)
                for (var cell = 0; cell < pooled[0] * pooled[1]; cell++)
                {
                    var (i, j) = (cell / pooled[1], cell % pooled[1]);
                    (int From, int To) Range(int k, int cells, int size, int start, int limit) => (Math.Clamp(k * size / cells + start, 0, limit), Math.Clamp(((k + 1) * size + cells - 1) / cells + start, 0, limit));
                    var (rows, columns) = (Range(i, pooled[0], high, at[1], h), Range(j, pooled[1], wide, at[0], w));
                    List<Dual> pixels = [];
                    for (var row = rows.From; row < rows.To; row++)
                        for (var column = columns.From; column < columns.To; column++)
                            pixels.Add(x.Pick([1], [(((int)roi[0] * channels + c) * h + row) * w + column]));
                    cells.Add(pixels.Count == 0 ? new Dual([1], [0]) : Largest(pixels));
                }
        }
        return Joined(cells, [rois.Shape[0], channels, .. pooled]);
    }

    /// <summary>Four pixels around a point, weighed by how near they are.</summary>
    private static Dual[] Corners(Dual x, int image, double row, double column, int h, int w)
    {
        if (row < -1 || row > h || column < -1 || column > w) return [new([1], [0])];
        (row, column) = (Math.Clamp(row, 0, h - 1), Math.Clamp(column, 0, w - 1));
        var (top, left) = ((int)row, (int)column);
        Dual Pixel(int i, int j, double weight) => x.Pick([1], [image + Math.Min(i, h - 1) * w + Math.Min(j, w - 1)]) * Dual.Scalar(weight);
        var (down, across) = (row - top, column - left);
        return [Pixel(top, left, (1 - down) * (1 - across)), Pixel(top, left + 1, (1 - down) * across), Pixel(top + 1, left, down * (1 - across)), Pixel(top + 1, left + 1, down * across)];
    }

    private static Dual Largest(IEnumerable<Dual> candidates) => candidates.Aggregate((a, b) => b.Value[0] > a.Value[0] ? b : a);

    private static Dual Joined(IReadOnlyList<Dual> cells, int[] shape) => Dual.Select(shape, cells, [.. Enumerable.Range(0, cells.Count)], new int[cells.Count]);
}
