namespace MLNetLinearize.Tests.Oracle;

/// <summary>GatherND and ScatterND: an index tuple names a slice of the data.</summary>
internal static class IndexingNdOperators
{
    public static Dual Gather(OracleNode node)
    {
        var (x, indices, b) = (node.X, node[1], (int)node.Int("batch_dims", 0));
        var k = indices.Shape[^1];
        var (strides, indexStrides) = (Shapes.Strides(x.Shape), Shapes.Strides(indices.Shape));
        int[] shape = [.. indices.Shape[..^1], .. x.Shape[(b + k)..]];
        var picks = indices.Rank - 1;
        return x.Pick(shape, Shapes.Map(shape, at =>
        {
            var tuple = Enumerable.Range(0, k).Select(i => Shapes.Axis((long)indices.Value[Shapes.Flat([.. at[..picks], i], indexStrides)], x.Shape[b + i]));
            return Shapes.Flat([.. at[..b], .. tuple, .. at[picks..]], strides);
        }));
    }

    public static Dual Scatter(OracleNode node)
    {
        var (data, indices, updates) = (node.X, node[1], node[2]);
        var (k, picks) = (indices.Shape[^1], indices.Rank - 1);
        var (strides, indexStrides) = (Shapes.Strides(data.Shape), Shapes.Strides(indices.Shape));
        var target = Shapes.Map(updates.Shape, at =>
        {
            var tuple = Enumerable.Range(0, k).Select(i => Shapes.Axis((long)indices.Value[Shapes.Flat([.. at[..picks], i], indexStrides)], data.Shape[i]));
            return Shapes.Flat([.. tuple, .. at[picks..]], strides);
        });
        return IndexingOperators.Scattered(data, updates, target, node.Text("reduction", "none"));
    }
}
