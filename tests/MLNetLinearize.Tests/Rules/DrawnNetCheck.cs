using MLNetLinearize.Linearization;
using MLNetLinearize.Tests.Oracle;

namespace MLNetLinearize.Tests.Rules;

/// <summary>Explains drawn networks, and counts what came of each row and output.</summary>
internal sealed class DrawnNetCheck
{
    private const int Rows = 3;

    /// <summary>Largest difference, relative to the largest number of its kind in the row, beside what the network itself makes of rounding.</summary>
    private const double Tolerance = 2e-5;

    /// <summary>Terms that cancel to less are their rounding.</summary>
    private const double Absolute = 1e-6;

    /// <summary>Runs of the oracle with float32's rounding.</summary>
    private const int Roundings = 6;

    public int Networks { get; private set; }

    /// <summary>Outputs of rows that were compared.</summary>
    public int Compared { get; private set; }

    /// <summary>Outputs whose score is no number, or that have no finite slope there, as √ at 0.</summary>
    public int WithoutSlope { get; private set; }

    /// <summary>Outputs so close to a kink that rounding decides on which side, or so steep that it shows.</summary>
    public int AtKinks { get; private set; }

    /// <summary>Outputs of which ONNX Runtime's own float32 is off as well, as where a number of 1e-97 becomes 0.</summary>
    public int BeyondSingle { get; private set; }

    public int RowByRow { get; private set; }

    /// <summary>Networks that are not explained, and why.</summary>
    public List<string> Refused { get; } = [];

    /// <summary>What is wrong, by seed.</summary>
    public List<string> Wrong { get; } = [];

    public void Explain(int seed)
    {
        Networks++;
        var drawn = new DrawnNet(seed);
        try
        {
            var rows = Enumerable.Range(0, Rows).Select(r => drawn.Row(seed * Rows + r)).ToArray();
            using var linearizer = new Linearizer(Compiler.Compile(drawn.Model, new() { Targets = Targets.All, Threads = 1 }));
            if (linearizer.Graph.IsRowByRow) RowByRow++;
            var maps = linearizer.ExplainBatch([.. rows.SelectMany(r => r)], Rows);
            for (var r = 0; r < Rows; r++) Compare(drawn, rows[r], maps[r], $"seed {seed} (opset {drawn.Opset}), row {r}");
        }
        catch (UnsupportedOperatorException e)
        {
            Refused.Add($"seed {seed} (opset {drawn.Opset}): {e.Nodes[0].Operator}: {e.Nodes[0].Reason}");
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            Wrong.Add($"seed {seed} (opset {drawn.Opset}): {e.GetType().Name}: {e.Message.ReplaceLineEndings(" ")}");
        }
    }

    private void Compare(DrawnNet drawn, float[] row, LinearMap map, string what)
    {
        long[] shape = [1, .. drawn.Shape.Select(d => (long)d)];
        double[][] units = [.. Enumerable.Range(0, row.Length).Select(i => Enumerable.Range(0, row.Length).Select(j => i == j ? 1.0 : 0).ToArray())];
        AffineMap Oracle(Random? rounding) => DenseOracle.Linearize(drawn.Ordered, "x", [.. row.Widened()], shape, units, drawn.Explained, rounding: rounding);
        var oracle = Oracle(null);
        var near = new Lazy<AffineMap[]>(() => [.. Enumerable.Range(0, Roundings).Select(r => Oracle(new(r)))]);
        var own = new Lazy<float[]>(() =>
        {
            using var original = new OriginalModel(drawn.Ordered, drawn.Explained);
            return original.Run("x", row, shape);
        });
        for (var k = 0; k < map.Targets.Count; k++)
        {
            Compared++;
            if (Difference(oracle, map, k, 0) is not { } wrong) continue;
            if (wrong.Length == 0) WithoutSlope++;
            else if (IsBeyondSingle(own.Value[k], oracle.Values[k], map.Scores[k])) BeyondSingle++;
            else if (IsRounding(oracle, near.Value, map, k)) AtKinks++;
            else Wrong.Add($"{what}: {wrong}");
        }
    }

    private static bool IsBeyondSingle(float own, double exact, float ours) =>
        Math.Abs(own - exact) is var off && !(off <= Tolerance * Math.Max(1, Math.Abs(exact))) && Math.Abs(own - ours) <= off / 100;

    /// <summary>Whether the map is that on the other side of a kink, or within what rounding makes of the network itself.</summary>
    private static bool IsRounding(AffineMap oracle, AffineMap[] near, LinearMap map, int k)
    {
        var moved = near.Max(n => Math.Max(Math.Abs(n.Values[k] - oracle.Values[k]), (n.Weights.Row(k) - oracle.Weights.Row(k)).AbsoluteMaximum()));
        return near.Any(n => Difference(n, map, k, 0) is null) || double.IsFinite(moved) && Difference(oracle, map, k, Roundings * moved) is null;
    }

    /// <summary>What differs; empty where there is no finite slope to compare, null where all agrees.</summary>
    private static string? Difference(AffineMap oracle, LinearMap map, int k, double allowed)
    {
        var (score, weights) = (oracle.Values[k], oracle.Weights.Row(k));
        if (!double.IsFinite(score)) return float.IsFinite(map.Scores[k]) ? $"score {k} is {map.Scores[k]:G7} instead of {score:G7}" : "";
        if (!IsNear(map.Scores[k], score, Tolerance * Math.Max(1, Math.Abs(score)) + allowed))
            return $"score {k} is {map.Scores[k]:G7} instead of {score:G7}";
        if (!weights.All(double.IsFinite)) return map.Weights.Row(k).All(float.IsFinite) ? $"W of {k} is finite, and has no slope there" : "";
        var scale = weights.AbsoluteMaximum();
        for (var i = 0; i < weights.Count; i++)
            if (!IsNear(map.Weights[k, i], weights[i], Math.Max(Absolute, Tolerance * scale) + allowed))
                return $"W[{k}, {i}] is {map.Weights[k, i]:G7} instead of {weights[i]:G7}";
        var terms = 1 + weights.Select((w, i) => Math.Abs(w * map.Input[i])).Sum();
        if (!IsNear(map.Bias[k], oracle.Bias[k], Tolerance * (terms + Math.Abs(oracle.Bias[k])) + allowed))
            return $"b of {k} is {map.Bias[k]:G7} instead of {oracle.Bias[k]:G7}";
        return map.Error[k] <= Tolerance * terms ? null : $"error {map.Error[k]:G3} of {k}";
    }

    private static bool IsNear(double ours, double exact, double tolerance) => Math.Abs(ours - exact) <= tolerance;
}
