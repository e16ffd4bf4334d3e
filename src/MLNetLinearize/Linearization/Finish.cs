using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Rules;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Linearization;

/// <summary>
/// From cotangents to what users read: rows first, targets second, then the input's shape; attribution, bias, and the
/// error that the sum of both leaves to the score.
/// </summary>
internal sealed class Finish(CanonicalNetwork network, Emitter e, int targets)
{
    /// <summary>Elements of a row that are summed in double one by one.</summary>
    private const long FewElements = 256;

    /// <summary>Most neighbours that are summed in float32.</summary>
    private const int MostInABlock = 64;

    /// <summary>Most bias terms that are.</summary>
    private const int MostTermsInSingle = 8;

    private int P => targets > 1 ? 1 : 0;

    /// <summary>The explained tensor as scores [N, C].</summary>
    public string Score(string tensor)
    {
        var shape = network.Shape(tensor);
        return shape.Same(ScoreShape(shape)) ? tensor : e.Reshape(RowsFirst(tensor, shape, 0), ScoreShape(shape).OpenFrom(shape));
    }

    /// <summary>A cotangent of the scores, [K, N, C], as that of the explained tensor.</summary>
    public string Seed(string cotangent, string tensor)
    {
        var shape = network.Shape(tensor);
        if (shape is { Rank: 2, BatchAxis: 0 } && shape.Dims[0] == 1) return cotangent;
        if (shape.BatchAxis <= 0) return e.PickedChannels.Reshaped(cotangent, e.Reshape(cotangent, P == 0 ? shape.OpenFrom(ScoreShape(shape)) : Prefixed(shape.Open)), shape);
        var rows = e.Reshape(cotangent, Prefixed([-1, .. shape.Dims.Where((_, i) => i != shape.BatchAxis)]));
        // The batch axis goes back from the front to where the network has it.
        var perm = Enumerable.Range(0, shape.Rank).Select(i => i < shape.BatchAxis ? i + 1L : i == shape.BatchAxis ? 0L : i);
        return e.Transpose(rows, [.. Enumerable.Range(0, P).Select(i => (long)i), .. perm.Select(i => i + P)]);
    }

    /// <summary>The cotangent of an explained tensor as weights [N, K, d…].</summary>
    public string Weights(string cotangent, string tensor, IReadOnlyList<int> row)
    {
        var shape = network.Shape(tensor);
        if (P == 0) return e.Reshape(RowsFirst(cotangent, shape, 0), [shape.HasBatch ? -1 : 1, 1, .. row.Select(d => (long)d)]);
        var rows = e.Reshape(RowsFirst(cotangent, shape, 1), [targets, shape.HasBatch ? -1 : 1, .. row.Select(d => (long)d)]);
        return e.Transpose(rows, [1, 0, .. Enumerable.Range(2, row.Count).Select(i => (long)i)]);
    }

    /// <summary>The value of an explained tensor as [N, d…].</summary>
    public string Value(string tensor, IReadOnlyList<int> row)
    {
        var shape = network.Shape(tensor);
        return e.Reshape(RowsFirst(tensor, shape, 0), [shape.HasBatch ? -1 : 1, .. row.Select(d => (long)d)]);
    }

    /// <summary>W∘x as [N, K, d…].</summary>
    public string Attribution(string weights, string tensor, IReadOnlyList<int> row)
    {
        var shape = network.Shape(tensor);
        if (TakesMissing(network)) tensor = e.Op("Where", [e.Op("IsNaN", [tensor]), e.Scalar(0), tensor]);
        return e.Mul(weights, e.Reshape(RowsFirst(tensor, shape, 0), [shape.HasBatch ? -1 : 1, 1, .. row.Select(d => (long)d)]));
    }

    /// <summary>
    /// Σ attribution as [N, K], in double precision. Of long rows blocks of neighbours are summed in float32, which loses next to nothing and
    /// moves no more memory, and the blocks' sums in double.
    /// </summary>
    /// <param name="attribution">[N, K, d…].</param>
    /// <param name="row">d….</param>
    public string Sum(string attribution, IReadOnlyList<int> row)
    {
        var length = row.Aggregate(1L, (a, d) => a * d);
        if (row.Count == 0) return e.Cast(attribution, DataType.Double);
        var block = length <= FewElements ? 1 : Enumerable.Range(1, MostInABlock).Last(b => length % b == 0);
        var blocks = e.Reshape(attribution, 0, targets, length / block, block);
        if (block > 1) blocks = e.ReduceSum(blocks, 3);
        return e.Op("ReduceSum", [e.Cast(blocks, DataType.Double), e.Ints(2, 3)], ("keepdims", 0));
    }

    /// <summary>The bias terms, each [K, N], as one [N, K]. Where they are many, they are added up in double precision, a few at a time.</summary>
    /// <param name="terms">The terms.</param>
    /// <param name="rows">Number of rows, [1].</param>
    public string Bias(IReadOnlyList<string> terms, string rows)
    {
        if (terms.Count == 0) return e.Zeros(e.Concat([rows, e.Ints(targets)], 0));
        string[] sums = [.. terms.Chunk(MostTermsInSingle).Select(t => e.Sum(t))];
        var bias = sums.Length == 1 ? sums[0] : e.Cast(e.Sum([.. sums.Select(s => e.Cast(s, DataType.Double))]), DataType.Float);
        return P == 0 ? e.Reshape(bias, -1, 1) : e.Transpose(bias, 1, 0);
    }

    /// <summary>|F − (Σ attribution + b)| / max(1, |F|), in double precision: it would otherwise tell the rounding of its own sum.</summary>
    /// <param name="score">F, [N, K].</param>
    /// <param name="sums">Of each explained input, Σ attribution.</param>
    /// <param name="bias">b, [N, K].</param>
    public string Error(string score, IReadOnlyList<string> sums, string bias)
    {
        var f = e.Cast(score, DataType.Double);
        var difference = e.Op("Abs", [e.Sub(f, e.Sum([.. sums, e.Cast(bias, DataType.Double)]))]);
        return e.Cast(e.Div(difference, e.Op("Max", [e.Op("Abs", [f]), e.Cast(e.Scalar(1), DataType.Double)])), DataType.Float);
    }

    /// <summary>Shape of one row of a tensor: without its batch axis; several entries a row on that axis stay as an axis.</summary>
    public static IReadOnlyList<int> RowShape(TensorShape shape)
    {
        if (!shape.HasBatch) return [.. shape.Dims.Select(d => checked((int)d))];
        var rest = shape.Dims.Where((_, i) => i != shape.BatchAxis).Select(d => checked((int)d));
        return shape.Dims[shape.BatchAxis] is var perRow and > 1 ? [(int)perRow, .. rest] : [.. rest];
    }

    /// <summary>
    /// Whether a network makes something of missing values (NaN). What it puts in their place is in the bias, and they
    /// themselves contribute nothing, where 0·NaN would be NaN.
    /// </summary>
    public static bool TakesMissing(CanonicalNetwork network) => network.Graph.Nodes.Any(n => n.OpType == "IsNaN" || n.OpType.StartsWith("TreeEnsemble", StringComparison.Ordinal));

    private string RowsFirst(string tensor, TensorShape shape, int offset)
    {
        if (shape.BatchAxis <= 0) return tensor;
        var perm = Enumerable.Range(0, shape.Rank).Where(i => i != shape.BatchAxis).Prepend(shape.BatchAxis).Select(i => (long)i + offset);
        return e.Transpose(tensor, [.. Enumerable.Range(0, offset).Select(i => (long)i), .. perm]);
    }

    /// <summary>[N, C] of an explained tensor.</summary>
    private static TensorShape ScoreShape(TensorShape explained) => new([1, explained.Count], explained.HasBatch ? 0 : -1);

    private long[] Prefixed(IEnumerable<long> dims) => [.. Enumerable.Repeat((long)targets, P), .. dims];
}
