using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace MLNetLinearize.Preprocessing;

/// <summary>
/// Pixel extraction: every slot must be (p − offset)·scale of one channel of one pixel, a whole number p from 0 to 255.
/// </summary>
internal static class PixelProbe
{
    private const string Colors = "RGB";
    private const byte Gray = 128;

    // A power of two above the rounding of p itself: shift, product, and their inverses.
    private const double Tolerance = 8.0 / (1 << 24);

    /// <param name="stage">A stage that reads an image.</param>
    /// <returns>Its map of the pixels, in the order in which it extracts them, and that order where it is one of the usual.</returns>
    /// <exception cref="ArgumentException">The stage does more than extract colours, or the image's size is open.</exception>
    public static (AffineMap Map, PixelLayout? Layout) Map(Stage stage)
    {
        var type = (ImageDataViewType)stage.Inputs[0].Type;
        if (type.Height < 1 || type.Width < 1 || !Numbers.Are(stage.Output.Type))
            throw stage.NotAffine("the image's size is open; give it one with ResizeImages");
        var random = new Random(1);
        // Black, gray, the three colours, each pixel's row, its column, and noise.
        Func<int, int, int, byte>[] images =
        [
            (_, _, _) => 0, (_, _, _) => Gray, (c, _, _) => (byte)(c == 0 ? Gray : 0), (c, _, _) => (byte)(c == 1 ? Gray : 0), (c, _, _) => (byte)(c == 2 ? Gray : 0),
            (_, r, _) => (byte)r, (_, _, x) => (byte)x, (_, _, _) => (byte)random.Next(256), (_, _, _) => (byte)random.Next(256), (_, _, _) => 255,
        ];
        var results = new double[images.Length][];
        stage.Run(images.Length, new Images(stage.Inputs, type, images), (row, y) => results[row] = [.. y]);

        var length = results[0].Length;
        var (scale, offset) = (new float[length], new float[length]);
        for (var i = 0; i < length; i++)
        {
            scale[i] = (float)((results[1][i] - results[0][i]) / Gray);
            offset[i] = (float)(-results[0][i] / scale[i]);
            if (!float.IsFinite(offset[i])) throw stage.NotAffine($"slot {i} of '{stage.Output.Name}' is no colour of a pixel, or alpha");
        }
        double Pixel(int image, int slot) => results[image][slot] / scale[slot] + offset[slot];
        for (var image = 0; image < images.Length; image++)
            for (var i = 0; i < length; i++)
            {
                var p = Pixel(image, i);
                if (!(Math.Abs(p - Math.Round(p)) <= Tolerance * (256 + Math.Abs(offset[i]))) || Math.Round(p) is < 0 or > 255)
                    throw stage.NotAffine($"at a probe, slot {i} of '{stage.Output.Name}' is {results[image][i]:G6}, which is no whole number from 0 to 255 by its scale {scale[i]:G6} and offset {offset[i]:G6}");
            }
        var map = new AffineMap { Inputs = length, Source = [.. Enumerable.Range(0, length)], Scale = scale, Offset = offset, Constant = [.. results[0].Select(v => (float)v)] };
        return (map, Layout(type, length, (image, slot) => (int)Math.Round(Pixel(image, slot))));
    }

    private static PixelLayout? Layout(ImageDataViewType type, int length, Func<int, int, int> pixel)
    {
        var area = type.Height * type.Width;
        char? Color(int slot) => Enumerable.Range(0, Colors.Length).Where(c => pixel(2 + c, slot) == Gray).Select(c => (char?)Colors[c]).FirstOrDefault();
        foreach (var interleaved in new[] { false, true })
        {
            var letters = Enumerable.Range(0, length / area).Select(c => Color(interleaved ? c : c * area)).ToList();
            if (letters.Contains(null)) return null;
            var layout = new PixelLayout(string.Concat(letters), type.Height, type.Width, interleaved);
            if (Enumerable.Range(0, length).All(i => layout.Of(i) is var (c, row, column) && Color(i) == layout.Channels[c] && pixel(5, i) == (byte)row && pixel(6, i) == (byte)column)) return layout;
        }
        return null;
    }

    private sealed class Images(IReadOnlyList<DataViewSchema.Column> columns, ImageDataViewType type, Func<int, int, int, byte>[] images) : ProbeValues(columns)
    {
        private int row;

        public override void MoveTo(int row) => this.row = row;

        public override Delegate Getter(DataViewSchema.Column column) => (ValueGetter<MLImage>)((ref MLImage value) => value = Make(images[row]));

        private MLImage Make(Func<int, int, int, byte> value)
        {
            const int channels = 4;
            var bytes = new byte[type.Height * type.Width * channels];
            for (var i = 0; i < bytes.Length; i++)
            {
                var (pixel, channel) = Math.DivRem(i, channels);
                bytes[i] = channel == channels - 1 ? byte.MaxValue : value(channel, pixel / type.Width, pixel % type.Width);
            }
            return MLImage.CreateFromPixels(type.Width, type.Height, MLPixelFormat.Rgba32, bytes);
        }
    }
}
