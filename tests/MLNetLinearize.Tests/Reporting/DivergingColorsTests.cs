using MLNetLinearize.Reporting;
using SkiaSharp;

namespace MLNetLinearize.Tests.Reporting;

public class DivergingColorsTests
{
    private static readonly double[] Values = [.. Enumerable.Range(0, 101).Select(i => i / 100.0)];

    [Fact]
    public void Zero_is_white_and_not_a_number_is_grey()
    {
        Assert.Equal(SKColors.White, DivergingColors.Of(0));
        Assert.Equal(SKColors.White, DivergingColors.Of(-0.0));
        var (r, g, b) = Bytes(DivergingColors.Of(double.NaN));
        Assert.True(r == g && g == b && r < 255);
    }

    [Fact]
    public void For_is_red_and_against_is_blue()
    {
        var (r, _, b) = Bytes(DivergingColors.Of(1));
        Assert.True(r > 2 * b);
        (r, _, b) = Bytes(DivergingColors.Of(-1));
        Assert.True(b > 2 * r);
    }

    [Fact]
    public void Beyond_the_ends_nothing_changes()
    {
        Assert.Equal(DivergingColors.Of(1), DivergingColors.Of(7));
        Assert.Equal(DivergingColors.Of(-1), DivergingColors.Of(double.NegativeInfinity));
    }

    [Fact]
    public void A_value_and_its_negative_are_equally_light_and_equally_strong()
    {
        foreach (var value in Values)
        {
            var (light, chroma) = LightnessAndChroma(DivergingColors.Of(value));
            var (otherLight, otherChroma) = LightnessAndChroma(DivergingColors.Of(-value));
            Assert.Equal(light, otherLight, 0.006);
            Assert.Equal(chroma, otherChroma, 0.006);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public void Equal_steps_of_the_value_are_equal_steps_of_colour(int sign)
    {
        var steps = Values.Where(v => v > 0).Select(v => Distance(DivergingColors.Of(sign * v), DivergingColors.Of(sign * (v - 0.01)))).ToArray();
        // 8 bits a channel round each step; over ten steps the rounding is small.
        var tens = steps.Chunk(10).Select(c => c.Sum()).ToArray();
        Assert.All(tens, t => Assert.InRange(t, tens.Average() * 0.9, tens.Average() * 1.1));
        var lights = Values.Select(v => LightnessAndChroma(DivergingColors.Of(sign * v)).Lightness).ToArray();
        Assert.All(lights.Zip(lights.Skip(1)), p => Assert.True(p.Second < p.First + 0.002));
    }

    /// <summary>Matrices of G. Machado, M. Oliveira, L. Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency", 2009, severity 1.</summary>
    [Theory]
    [InlineData(0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998)]
    [InlineData(0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.011820, 0.042940, 0.968881)]
    [InlineData(1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.303900)]
    public void The_two_arms_stay_apart_under_colour_blindness(params double[] m)
    {
        foreach (var value in new[] { 0.25, 0.5, 1 })
        {
            var (a, b) = (Seen(DivergingColors.Of(value)), Seen(DivergingColors.Of(-value)));
            Assert.True(Euclid(a, b) > 0.6 * value * 0.3, $"{value}: {Euclid(a, b)}");
        }

        double[] Seen(SKColor color)
        {
            var rgb = Linear(color);
            return Oklab([.. Enumerable.Range(0, 3).Select(i => Math.Clamp(m[3 * i] * rgb[0] + m[3 * i + 1] * rgb[1] + m[3 * i + 2] * rgb[2], 0, 1))]);
        }
    }

    private static (int, int, int) Bytes(SKColor c) => (c.Red, c.Green, c.Blue);

    private static double Distance(SKColor a, SKColor b) => Euclid(Oklab(Linear(a)), Oklab(Linear(b)));

    private static double Euclid(double[] a, double[] b) => Math.Sqrt(a.Zip(b, (x, y) => (x - y) * (x - y)).Sum());

    private static (double Lightness, double Chroma) LightnessAndChroma(SKColor color)
    {
        var lab = Oklab(Linear(color));
        return (lab[0], Math.Sqrt(lab[1] * lab[1] + lab[2] * lab[2]));
    }

    private static double[] Linear(SKColor c) => [.. new[] { c.Red, c.Green, c.Blue }.Select(v => v / 255.0).Select(u => u <= 0.04045 ? u / 12.92 : Math.Pow((u + 0.055) / 1.055, 2.4))];

    private static double[] Oklab(double[] rgb)
    {
        var l = Math.Cbrt(0.4122214708 * rgb[0] + 0.5363325363 * rgb[1] + 0.0514459929 * rgb[2]);
        var m = Math.Cbrt(0.2119034982 * rgb[0] + 0.6806995451 * rgb[1] + 0.1073969566 * rgb[2]);
        var s = Math.Cbrt(0.0883024619 * rgb[0] + 0.2817188376 * rgb[1] + 0.6299787005 * rgb[2]);
        return [0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s, 1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s, 0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s];
    }
}
