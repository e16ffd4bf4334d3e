namespace MLNetLinearize.Tests.Oracle;

/// <summary>Linear operators on signals and images, as the sums of their definitions.</summary>
internal static class SignalOperators
{
    public static Dual Fourier(OracleNode n)
    {
        var x = n.X;
        var axis = Shapes.Axis(n.Optional(2)?.Integers[0] ?? n.Int("axis", n.Opset >= 20 ? -2 : 1), x.Rank);
        var (oneSided, inverse, length) = (n.Int("onesided", 0) != 0, n.Int("inverse", 0) != 0, (int?)n.Optional(1)?.Integers[0]);
        return oneSided && inverse ? FromHalf(x, axis, length ?? 2 * (x.Shape[axis] - 1)) : Transformed(x, axis, length ?? x.Shape[axis], oneSided, inverse);
    }

    public static Dual ShortFourier(OracleNode n)
    {
        var (x, step) = (n.X.Rank == 2 ? n.X.Reshaped([.. n.X.Shape, 1]) : n.X, (int)n[1].Integers[0]);
        var length = (int?)n.Optional(3)?.Integers[0] ?? n[2].Shape[0];
        List<Dual> frames = [];
        for (var start = 0; start + length <= x.Shape[1]; start += step)
        {
            var frame = ShapeOperators.Range(x, 1, start, 1, length);
            if (n.Optional(2) is { } window) frame *= window.Reshaped(length, 1);
            frames.Add(Transformed(frame, 1, length, n.Int("onesided", 1) != 0, false).Reshaped(x.Shape[0], 1, -1 + (n.Int("onesided", 1) != 0 ? length / 2 + 2 : length + 1), 2));
        }
        return ShapeOperators.Join(frames, 1);
    }

    public static Dual ColumnsToImage(OracleNode n)
    {
        int[] image = Shapes.Ints(n[1].Integers), block = Shapes.Ints(n[2].Integers);
        var rank = image.Length;
        var (strides, dilations, pads) = (n.Sizes("strides", Ones(rank)), n.Sizes("dilations", Ones(rank)), n.Sizes("pads", new int[2 * rank]));
        int[] blocks = [.. Enumerable.Range(0, rank).Select(i => (image[i] + pads[i] + pads[rank + i] - dilations[i] * (block[i] - 1) - 1) / strides[i] + 1)];
        var (size, count, pixels) = (Shapes.Count(block), Shapes.Count(blocks), Shapes.Count(image));
        var channels = n.X.Shape[1] / size;
        return n.X.Linear([n.X.Shape[0], channels, .. image], columns =>
        {
            var to = new double[n.X.Shape[0] * channels * pixels];
            for (var i = 0; i < columns.Length; i++)
            {
                var (at, within, plane) = (i % count, i / count % size, i / count / size);
                var (flat, stride, inside) = (0, 1, true);
                for (var d = rank - 1; d >= 0; at /= blocks[d], within /= block[d], stride *= image[d], d--)
                {
                    var p = at % blocks[d] * strides[d] + within % block[d] * dilations[d] - pads[d];
                    inside &= p >= 0 && p < image[d];
                    flat += p * stride;
                }
                if (inside) to[plane * pixels + flat] += columns[i];
            }
            return to;
        });
    }

    public static Dual AffineGrid(OracleNode n)
    {
        int[] space = [.. Shapes.Ints(n[1].Integers).Skip(2)];
        var (rows, rank, count) = (n.X.Shape[0], space.Length, Shapes.Count(space));
        double At(int i, int size) => n.Int("align_corners", 0) == 0 ? (2 * i + 1) / (double)size - 1 : size == 1 ? 0 : 2.0 * i / (size - 1) - 1;
        var points = new List<double[]>();
        Shapes.Map(space, at =>
        {
            points.Add([.. at.Select((i, d) => At(i, space[d])).Reverse(), 1]);
            return 0;
        });
        return n.X.Linear([rows, .. space, rank], theta =>
        {
            var to = new double[rows * count * rank];
            for (var i = 0; i < to.Length; i++)
                for (var j = 0; j <= rank; j++) to[i] += theta[(i / rank / count * rank + i % rank) * (rank + 1) + j] * points[i / rank % count][j];
            return to;
        });
    }

    public static Dual CropOrPad(OracleNode n)
    {
        var x = n.X;
        var axes = n.Ints("axes") is { } given ? [.. given.Select(a => Shapes.Axis(a, x.Rank))] : Enumerable.Range(0, x.Rank).ToArray();
        for (var k = 0; k < axes.Length; k++)
        {
            var (axis, from, to) = (axes[k], x.Shape[axes[k]], (int)n[1].Integers[k]);
            var start = from > to ? (from - to) / 2 : -((to - from) / 2);
            var (shape, strides) = (x.Shape.With(axis, to), Shapes.Strides(x.Shape));
            x = x.Pick(shape, Shapes.Map(shape, at => at[axis] + start is var p && p >= 0 && p < from ? Shapes.Flat(at.With(axis, p), strides) : -1));
        }
        return x;
    }

    public static Dual Reverse(OracleNode n)
    {
        var (time, batch, strides) = ((int)n.Int("time_axis", 0), (int)n.Int("batch_axis", 1), Shapes.Strides(n.X.Shape));
        return n.X.Pick(n.X.Shape, Shapes.Map(n.X.Shape, at => Shapes.Flat(at[time] < n[1].Value[at[batch]] ? at.With(time, (int)n[1].Value[at[batch]] - 1 - at[time]) : at, strides)));
    }

    /// <summary>Cofactors are determinants of minors; each of n rows carries a part of the whole.</summary>
    public static Dual Determinant(OracleNode n)
    {
        var (x, size) = (n.X, n.X.Shape[^1]);
        var count = x.Value.Length / (size * size);
        var value = new double[count];
        var columns = x.Columns?.Select(_ => new double[count]).ToArray();
        for (var m = 0; m < count; m++)
        {
            var a = MathNet.Numerics.LinearAlgebra.Matrix<double>.Build.Dense(size, size, (i, j) => x.Value[(m * size + i) * size + j]);
            value[m] = a.Determinant();
            for (var c = 0; c < (columns?.Length ?? 0); c++)
            {
                for (var i = 0; i < size; i++)
                    for (var j = 0; j < size; j++)
                        columns![c][m] += (size == 1 ? 1 : a.RemoveRow(i).RemoveColumn(j).Determinant()) * ((i + j) % 2 == 0 ? 1 : -1) * x.Columns![c][(m * size + i) * size + j];
                if (Reading.IsFrozen) columns![c][m] /= size;
                else if (c == columns!.Length - 1) columns[c][m] += (1 - size) * value[m];
            }
        }
        return new(x.Shape[..^2], value, columns);
    }

    /// <summary>Σ xₙ·e^(∓2πi·k·n/length), real and imaginary part behind each other.</summary>
    private static Dual Transformed(Dual x, int axis, int length, bool oneSided, bool inverse)
    {
        var (bins, parts, strides) = (oneSided ? length / 2 + 1 : length, x.Shape[^1], Shapes.Strides(x.Shape));
        var shape = x.Shape.With(axis, bins).With(x.Rank - 1, 2);
        return x.Linear(shape, signal =>
        {
            var to = new double[Shapes.Count(shape)];
            var flat = 0;
            Shapes.Map(shape, at =>
            {
                for (var s = 0; s < Math.Min(length, x.Shape[axis]); s++)
                {
                    var angle = (inverse ? 2 : -2) * Math.PI * at[axis] * s / length;
                    var real = signal[Shapes.Flat(at.With(axis, s).With(x.Rank - 1, 0), strides)];
                    var imaginary = parts == 2 ? signal[Shapes.Flat(at.With(axis, s).With(x.Rank - 1, 1), strides)] : 0;
                    to[flat] += (at[^1] == 0 ? real * Math.Cos(angle) - imaginary * Math.Sin(angle) : real * Math.Sin(angle) + imaginary * Math.Cos(angle)) / (inverse ? length : 1);
                }
                flat++;
                return 0;
            });
            return to;
        });
    }

    /// <summary>The real signal whose spectrum is the half and, behind it, its conjugate mirror; what is missing of the half is 0.</summary>
    private static Dual FromHalf(Dual x, int axis, int length)
    {
        var strides = Shapes.Strides(x.Shape);
        var shape = x.Shape.With(axis, length).With(x.Rank - 1, 1);
        return x.Linear(shape, half => Shapes.Map(shape, at =>
        {
            var sum = 0.0;
            for (var k = 0; k < length; k++)
            {
                var (bin, sign) = k <= length / 2 ? (k, 1) : (length - k, -1);
                if (bin >= x.Shape[axis]) continue;
                double Part(int part) => half[Shapes.Flat(at.With(axis, bin).With(x.Rank - 1, part), strides)];
                var angle = 2 * Math.PI * at[axis] * k / length;
                sum += (Part(0) * Math.Cos(angle) - sign * Part(1) * Math.Sin(angle)) / length;
            }
            return sum;
        }));
    }

    private static int[] Ones(int rank) => [.. Enumerable.Repeat(1, rank)];
}
