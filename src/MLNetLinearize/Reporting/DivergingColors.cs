using SkiaSharp;

namespace MLNetLinearize.Reporting;

/// <summary>
/// Blue – white – red for values from −1 to 1. White is 0; −t and t are equally light and equally strong; equal steps of
/// the value are equal steps of perceived colour. The eye then reads strength from the map and nothing that the map adds.
/// </summary>
/// <remarks>
/// Each arm is a straight line in OKLab (B. Ottosson, "A perceptual color space for image processing", 2020) from white
/// to an end of lightness 0.45 and chroma 0.16. The red's hue, 22°, is that of RdBu (C. Brewer, colorbrewer2.org) and
/// of the cool–warm map (K. Moreland, "Diverging Color Maps for Scientific Visualization", 2009); the blue's, 259°, lies between
/// theirs, 252° and 271°. Blue against red stays apart under every common colour blindness.
/// </remarks>
internal static class DivergingColors
{
    private const int Steps = 256;
    private const double EndLightness = 0.45, EndChroma = 0.16, RedHue = 22, BlueHue = 259;
    private static readonly SKColor[] Reds = Arm(RedHue), Blues = Arm(BlueHue);

    /// <summary>Colour of <paramref name="value"/>; beyond ±1 the end colour, NaN a neutral grey.</summary>
    public static SKColor Of(double value)
    {
        if (double.IsNaN(value)) return new SKColor(0xC8, 0xC8, 0xC8);
        var step = (int)Math.Round(Math.Min(Math.Abs(value), 1) * (Steps - 1));
        return value < 0 ? Blues[step] : Reds[step];
    }

    /// <summary>Red, green and blue of the values −1 to 1 in equal steps.</summary>
    public static byte[] Palette() => [.. Enumerable.Range(1 - Steps, 2 * Steps - 1).Select(i => Of((double)i / (Steps - 1))).SelectMany(c => new[] { c.Red, c.Green, c.Blue })];

    private static SKColor[] Arm(double hue)
    {
        var (a, b) = (EndChroma * Math.Cos(hue * Math.PI / 180), EndChroma * Math.Sin(hue * Math.PI / 180));
        return [.. Enumerable.Range(0, Steps).Select(i => (double)i / (Steps - 1)).Select(t => FromOklab(1 + t * (EndLightness - 1), t * a, t * b))];
    }

    private static SKColor FromOklab(double lightness, double a, double b)
    {
        var l = Math.Pow(lightness + 0.3963377774 * a + 0.2158037573 * b, 3);
        var m = Math.Pow(lightness - 0.1055613458 * a - 0.0638541728 * b, 3);
        var s = Math.Pow(lightness - 0.0894841775 * a - 1.2914855480 * b, 3);
        return new SKColor(
            Encode(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
            Encode(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
            Encode(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s));
    }

    private static byte Encode(double linear) =>
        (byte)Math.Round(255 * Math.Clamp(linear <= 0.0031308 ? 12.92 * linear : 1.055 * Math.Pow(linear, 1 / 2.4) - 0.055, 0, 1));
}
