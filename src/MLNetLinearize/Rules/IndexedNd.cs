using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;

namespace MLNetLinearize.Rules;

/// <summary>
/// GatherND and ScatterND: index tuples become positions in the flattened axes that they index, [batch, indexed, rest], and
/// picking and putting go element by element along that one axis. The indices are no function of what is explained.
/// </summary>
internal static class IndexedNd
{
    public static void GatherND(Vjp v)
    {
        var (data, indices) = (v.InShape(0), v.InShape(1));
        var view = View(data, (int)v.Node.Int("batch_dims", 0), (int)indices.Dims[^1]);
        var position = Position(v, view, data);
        var g = v.E.Reshape(v.G, v.Prefixed([view.Batch, Picks(view, indices), view.Rest]));
        var index = v.E.Op("Expand", [position, v.E.Shape(g)]);
        var zeros = v.E.Reshape(v.Zeros(v.In(0)), v.Prefixed([view.Batch, view.Indexed, view.Rest]));
        v.Give(0, v.ReshapeTo(v.E.Op("ScatterElements", [zeros, index, g], ("axis", v.P + 1L), ("reduction", "add")), data));
    }

    public static void ScatterND(Vjp v)
    {
        var (data, e) = (v.InShape(0), v.E);
        var view = View(data, 0, (int)v.InShape(1).Dims[^1]);
        string Flat(string tensor, long elements) => e.Reshape(tensor, view.Batch, elements, view.Rest);
        var picks = Picks(view, v.InShape(1));
        var position = Position(v, view, data);
        string Repeated(params long[] before) => e.Op("Expand", [position, e.Concat([e.Ints([.. before, 1]), e.Slice(e.Shape(position), 1, 2, 0), e.Ints(view.Rest)], 0)]);
        var put = new Scattered(v, 1, Flat(v.In(0), view.Indexed), Repeated(), Flat(v.In(2), picks), Flat(v.Out(), view.Indexed), e.Reshape(v.G, v.Prefixed([view.Batch, view.Indexed, view.Rest])), Repeated(v.Prefixed([])));
        put.Give(g => v.ReshapeTo(g, data), g => v.ReshapeTo(g, v.InShape(2)));
    }

    /// <summary>Sizes of [batch, indexed, rest]; −1 where rows are counted.</summary>
    private sealed record Flat(int BatchAxes, int IndexedAxes, long Batch, long Indexed, long Rest);

    private static Flat View(TensorShape data, int batchAxes, int indexed)
    {
        long Size(int from, int count) => data.BatchAxis >= from && data.BatchAxis < from + count ? -1 : data.Dims.Skip(from).Take(count).Aggregate(1L, (a, d) => a * d);
        if (data.BatchAxis >= batchAxes + indexed) throw new RuleException("its batch axis lies behind the axes that it indexes", "move the batch axis to the front");
        return new Flat(batchAxes, indexed, Size(0, batchAxes), Size(batchAxes, indexed), Size(batchAxes + indexed, data.Rank));
    }

    /// <summary>Number of index tuples; −1 where there are as many for each row.</summary>
    private static long Picks(Flat view, TensorShape indices) => view.Batch >= 0 && indices.HasBatch ? -1 : indices.Dims.Skip(view.BatchAxes).SkipLast(1).Aggregate(1L, (a, d) => a * d);

    /// <summary>Σ index·stride as [batch, picks, 1]; a negative index counts from the end.</summary>
    private static string Position(Vjp v, Flat view, TensorShape data)
    {
        var strides = new long[view.IndexedAxes];
        for (var (k, s) = (strides.Length - 1, 1L); k >= 0; s *= data.Dims[view.BatchAxes + k--]) strides[k] = s;
        var sizes = v.E.Slice(v.E.Shape(v.In(0)), view.BatchAxes, view.BatchAxes + view.IndexedAxes, 0);
        var index = v.E.Op("Where", [v.E.Op("Less", [v.In(1), v.E.Ints(0)]), v.E.Add(v.In(1), sizes), v.In(1)]);
        var position = v.E.ReduceSum(v.E.Mul(index, v.E.Ints(strides)), v.InShape(1).Rank - 1);
        return v.E.Reshape(position, view.Batch, Picks(view, v.InShape(1)), 1);
    }
}
