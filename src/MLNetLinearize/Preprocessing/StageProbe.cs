using System.Numerics;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNetLinearize.Preprocessing;

/// <summary>
/// Finds a stage's affine map by running it on chosen points, all of a step in one pass, and holds it to the map on others.
/// ML.NET keeps what a fitted stage has learned to itself; what it does can be asked.
/// </summary>
internal sealed class StageProbe
{
    /// <summary>Most elements of a dense stage's matrix: 256 MiB.</summary>
    public const long MostElements = 64L << 20;

    private static readonly int[] CheckedExponents = [-8, 0, 3, 8, 16, 30];
    private const int ChecksEach = 3;

    private readonly Stage stage;
    private readonly DataViewType[] types;
    private readonly int outputs;

    private StageProbe(Stage stage)
    {
        this.stage = stage;
        types = [.. stage.Inputs.SelectMany(c => Enumerable.Repeat(c.Type, Numbers.Length(c.Type)))];
        outputs = Numbers.Length(stage.Output.Type);
    }

    /// <exception cref="ArgumentException">The stage is not affine.</exception>
    public static AffineMap Map(Stage stage)
    {
        var probe = new StageProbe(stage);
        var map = probe.Find();
        probe.FindMissing(map);
        probe.Check(map);
        return map;
    }

    /// <summary>
    /// One pass tells which input each output takes: the inputs are numbered in binary, and in probe k those are large whose
    /// k-th digit is 1. An output of one input shows that input's digits, as its value with all inputs large or with none; an
    /// output of several shows other values.
    /// </summary>
    private AffineMap Find()
    {
        var results = new double[2 + Digits][];
        Run(results.Length, (row, x) =>
        {
            for (var j = 0; row > 0 && j < x.Length; j++)
                if (row == 1 || HasDigit(j, row - 2)) x[j] = Numbers.Large(types[j]);
        }, (row, y) => results[row] = [.. y]);
        var (none, all) = (results[0], results[1]);
        var source = new int[outputs];
        for (var i = 0; i < outputs; i++)
        {
            var number = 0;
            for (var k = 0; k < Digits; k++)
            {
                var value = results[2 + k][i];
                if (value != none[i] && value != all[i]) return Dense(none);
                if (value != none[i]) number |= 1 << k;
            }
            if ((number == 0) != (none[i] == all[i]) || number > types.Length) return Dense(none);
            source[i] = number - 1;
        }
        return Single(none, all, source);
    }

    private AffineMap Single(double[] none, double[] all, int[] source)
    {
        var (scale, offset) = (new float[outputs], new float[outputs]);
        var guess = new double[types.Length];
        for (var i = 0; i < outputs; i++)
        {
            if (source[i] < 0) continue;
            var j = source[i];
            scale[i] = (float)((all[i] - none[i]) / Numbers.Large(types[j]));
            if (none[i] != 0 && Numbers.CanBeNaN(types[j])) guess[j] = Numbers.Nearest(types[j], -none[i] / scale[i]);
        }
        // What (0 − offset)·scale has lost of the offset's digits shows beside the offset itself, where the difference is exact.
        if (none.Any(c => c != 0))
            Run(1, (_, x) => guess.CopyTo(x, 0), (_, y) =>
            {
                for (var i = 0; i < outputs; i++)
                    if (source[i] >= 0 && none[i] != 0) offset[i] = (float)(guess[source[i]] - y[i] / scale[i]);
            });
        return new AffineMap { Inputs = types.Length, Source = source, Scale = scale, Offset = offset, Constant = [.. none.Select(c => (float)c)] };
    }

    private AffineMap Dense(double[] none)
    {
        var elements = (long)types.Length * outputs;
        if (elements > MostElements)
            throw stage.NotAffine($"each output depends on many inputs, and a matrix of {types.Length:N0} by {outputs:N0} is above the {MostElements:N0} elements that are probed");
        var matrix = new float[elements];
        Run(types.Length, (row, x) => x[row] = Numbers.Large(types[row]), (row, y) =>
        {
            for (var i = 0; i < outputs; i++) matrix[(long)row * outputs + i] = (float)((y[i] - none[i]) / Numbers.Large(types[row]));
        });
        return new AffineMap { Inputs = types.Length, Matrix = matrix, Constant = [.. none.Select(c => (float)c)] };
    }

    /// <summary>Binary digits of the inputs' numbers, which begin with 1.</summary>
    private int Digits => BitOperations.Log2((uint)types.Length) + 1;

    private static bool HasDigit(int input, int k) => ((input + 1) >> k & 1) == 1;

    private void FindMissing(AffineMap map)
    {
        if (!types.Any(Numbers.CanBeNaN)) return;
        double[] missing = [];
        Run(1, (_, x) =>
        {
            for (var j = 0; j < x.Length; j++) x[j] = Numbers.CanBeNaN(types[j]) ? double.NaN : 0;
        }, (_, y) => missing = [.. y], mayBeNaN: true);
        if (map.Source is not { } source)
        {
            if (missing.Any(v => !double.IsNaN(v))) throw stage.NotAffine("it replaces missing values, and mixes slots");
            return;
        }
        FindMissingAlone(map, source, missing);
        map.Missing = [.. missing.Select((v, i) => source[i] >= 0 && Numbers.CanBeNaN(types[source[i]]) ? (float)v : source[i] < 0 ? map.Constant[i] : float.NaN)];
    }

    /// <summary>
    /// A normalizer makes 0 of a slot that was always 0 when it was fitted, be it what it may, but a missing number stays missing:
    /// those outputs take their input times 0. Missing inputs tell which, by their digits as in <see cref="Find"/>.
    /// </summary>
    private void FindMissingAlone(AffineMap map, int[] source, double[] missing)
    {
        int[] alone = [.. Enumerable.Range(0, outputs).Where(i => source[i] < 0 && map.Constant[i] == 0 && double.IsNaN(missing[i]))];
        if (alone.Length == 0) return;
        var numbers = new int[outputs];
        Run(Digits, (k, x) =>
        {
            for (var j = 0; j < x.Length; j++) x[j] = HasDigit(j, k) && Numbers.CanBeNaN(types[j]) ? double.NaN : 0;
        }, (k, y) =>
        {
            foreach (var i in alone)
                if (double.IsNaN(y[i])) numbers[i] |= 1 << k;
        }, mayBeNaN: true);
        foreach (var i in alone)
            if (numbers[i] <= types.Length) source[i] = numbers[i] - 1;
    }

    /// <summary>Random points of several sizes, and some slots missing: the stage must give what the map gives, up to rounding.</summary>
    private void Check(AffineMap map)
    {
        var random = new Random(1);
        double[] Point(double size, bool someMissing) => [.. types.Select(t =>
            someMissing && Numbers.CanBeNaN(t) && random.Next(2) == 0 ? double.NaN : Numbers.Nearest(t, (random.NextDouble() * 2 - 1) * size))];
        List<double[]> points = [.. CheckedExponents.SelectMany(e => Enumerable.Range(0, ChecksEach).Select(_ => Point(Math.ScaleB(1, e), false)))];
        if (map.Missing is not null) points.AddRange(Enumerable.Range(0, ChecksEach).Select(_ => Point(1, true)));
        Run(points.Count, (row, x) => points[row].CopyTo(x, 0), (row, y) =>
        {
            for (var i = 0; i < outputs; i++)
            {
                if (!map.Gives(i, points[row], y[i], out var expected))
                    throw stage.NotAffine($"at a probe, slot {i} of '{stage.Output.Name}' is {y[i]:G6}, where a straight line through its other values gives {expected:G6}");
            }
        }, mayBeNaN: map.Missing is not null);
    }

    // ML.NET may read ahead, on other threads: what comes out is told by its row, never by what went in last.
    private void Run(int rows, Action<int, double[]> fill, Action<int, double[]> read, bool mayBeNaN = false) => stage.Run(rows, new ProbePoints(stage.Inputs, fill), (row, y) =>
    {
        if (!mayBeNaN && Array.FindIndex(y, v => !double.IsFinite(v)) is >= 0 and var odd) throw stage.NotAffine($"at a probe, slot {odd} of '{stage.Output.Name}' is {y[odd]}");
        read(row, y);
    });
}
