using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetLinearize.Transforms;

namespace MLNetLinearize.Tests.Transforms;

/// <summary>
/// What ML.NET's own tests ask of every estimator, by its public API: the promised schema is delivered, saving changes
/// nothing, and any cursor over any set of columns gives the same rows.
/// </summary>
internal sealed class EstimatorWorkout(MLContext ml, IDataView data)
{
    private const float Tolerance = 1e-5f;

    public void Run(LinearizingEstimator estimator)
    {
        using var transformer = estimator.Fit(data);
        var delivered = transformer.GetOutputSchema(data.Schema);
        Assert.Equal(Rows.Write(Rows.ShapeOf(delivered)), Rows.Write(estimator.GetOutputSchema(Rows.ShapeOf(data.Schema))));

        var result = transformer.Transform(data);
        Assert.Equal(Describe(delivered), Describe(result.Schema));
        Assert.Equal(data.GetRowCount(), result.GetRowCount());
        var expected = Read(result, result.Schema);
        BadSchemas(transformer);
        Subsets(result, expected);
        Sources(transformer, expected);
        RowByRow(transformer, expected);
        Saved(transformer, delivered, expected);
    }

    /// <summary>Every column that feeds the model is missed.</summary>
    private void BadSchemas(LinearizingTransformer transformer)
    {
        var none = new EmptyView(Rows.SchemaOf(("unrelated", TextDataViewType.Instance)));
        Assert.Contains("is missing", Assert.Throws<ArgumentException>(() => transformer.Transform(none)).Message, StringComparison.Ordinal);
        Assert.Contains("is missing", Assert.Throws<ArgumentException>(() => transformer.GetOutputSchema(none.Schema)).Message, StringComparison.Ordinal);
        Assert.Contains("is missing", Assert.Throws<ArgumentException>(() => transformer.GetRowToRowMapper(none.Schema)).Message, StringComparison.Ordinal);
        var twice = transformer.Transform(data);
        Assert.Contains("already has a column", Assert.Throws<ArgumentException>(() => transformer.Transform(twice)).Message, StringComparison.Ordinal);
    }

    private void Subsets(IDataView result, List<Dictionary<string, float[]>> expected)
    {
        var own = result.Schema.Skip(data.Schema.Count).ToList();
        for (var set = 0; set < 1 << own.Count; set++)
        {
            var columns = own.Where((_, i) => (set >> i & 1) == 1).Concat(set % 3 == 0 ? [result.Schema["Id"]] : Array.Empty<DataViewSchema.Column>()).ToList();
            AssertSame(expected, Read(result, columns));
        }
    }

    /// <summary>Cached, shuffled, empty, a single row, and rows up to a batch boundary and one beyond.</summary>
    private void Sources(LinearizingTransformer transformer, List<Dictionary<string, float[]>> expected)
    {
        IDataView Of(IDataView source) => transformer.Transform(source);
        AssertSame(expected, Read(Of(ml.Data.Cache(data)), null));
        AssertSame(expected, Read(ml.Data.Cache(Of(data)), null));
        AssertSame(expected, [.. Read(Of(ml.Data.ShuffleRows(data, seed: 2)), null).OrderBy(r => r["Id"][0])]);
        AssertSame(expected, [.. Read(ml.Data.ShuffleRows(Of(data), seed: 2), null).OrderBy(r => r["Id"][0])]);
        Assert.Empty(Read(Of(new EmptyView(data.Schema)), null));
        foreach (var count in new[] { 1, 4, 5 }) AssertSame([.. expected.Take(count)], Read(Of(ml.Data.TakeRows(data, count)), null));
        AssertSame([.. expected.Skip(3)], Read(Of(ml.Data.SkipRows(data, 3)), null));
    }

    private void RowByRow(LinearizingTransformer transformer, List<Dictionary<string, float[]>> expected)
    {
        var mapper = transformer.GetRowToRowMapper(data.Schema);
        Assert.Same(data.Schema, mapper.InputSchema);
        using var cursor = data.GetRowCursor(mapper.GetDependencies(mapper.OutputSchema));
        using var row = mapper.GetRow(cursor, mapper.OutputSchema);
        var readers = Readers(row, mapper.OutputSchema);
        var actual = new List<Dictionary<string, float[]>>();
        while (cursor.MoveNext()) actual.Add(readers.ToDictionary(r => r.Name, r => r.Read()));
        AssertSame(expected, actual);
    }

    private void Saved(LinearizingTransformer transformer, DataViewSchema delivered, List<Dictionary<string, float[]>> expected)
    {
        using var file = new MemoryStream();
        ml.Model.Save(transformer, data.Schema, file);
        file.Position = 0;
        var loaded = ml.Model.Load(file, out var schema);
        Assert.Equal(Describe(delivered), Describe(loaded.GetOutputSchema(schema)));
        AssertSame(expected, Read(loaded.Transform(data), null));
        using var restored = (LinearizingTransformer)ml.Model.RestoreLinearization(loaded, schema);
        Assert.Equal(Describe(delivered), Describe(restored.GetOutputSchema(schema)));
        AssertSame(expected, Read(restored.Transform(data), null));
    }

    private static List<string> Describe(DataViewSchema schema) => [.. schema.Select(c => $"{c.Name} {c.Type} [{string.Join(' ', c.Annotations.Schema.Select(a => a.Name))}]")];

    private static List<Dictionary<string, float[]>> Read(IDataView view, IEnumerable<DataViewSchema.Column>? columns)
    {
        var wanted = (columns ?? view.Schema).ToList();
        using var cursor = view.GetRowCursor(wanted);
        var readers = Readers(cursor, wanted);
        var rows = new List<Dictionary<string, float[]>>();
        while (cursor.MoveNext())
        {
            Assert.Equal(rows.Count, cursor.Position);
            rows.Add(readers.ToDictionary(r => r.Name, r => r.Read()));
        }
        return rows;
    }

    private static List<(string Name, Func<float[]> Read)> Readers(DataViewRow row, IEnumerable<DataViewSchema.Column> columns)
    {
        var readers = new List<(string, Func<float[]>)>();
        foreach (var column in columns)
        {
            if (column.Type is VectorDataViewType { ItemType: var item } && item == NumberDataViewType.Single) readers.Add((column.Name, Vector<float>(row, column, v => v)));
            else if (column.Type is VectorDataViewType { ItemType: var whole } && whole == NumberDataViewType.Int64) readers.Add((column.Name, Vector<long>(row, column, v => v)));
            else if (column.Name == "Id")
            {
                var getter = row.GetGetter<long>(column);
                var value = 0L;
                readers.Add((column.Name, () =>
                {
                    getter(ref value);
                    return [value];
                }
                ));
            }
        }
        return readers;
    }

    private static Func<float[]> Vector<T>(DataViewRow row, DataViewSchema.Column column, Func<T, float> convert)
    {
        var getter = row.GetGetter<VBuffer<T>>(column);
        var value = default(VBuffer<T>);
        return () =>
        {
            getter(ref value);
            return [.. value.DenseValues().Select(convert)];
        };
    }

    /// <summary>The columns that were read are those of the rows in full.</summary>
    private static void AssertSame(List<Dictionary<string, float[]>> expected, List<Dictionary<string, float[]>> actual)
    {
        Assert.Equal(expected.Count, actual.Count);
        foreach (var (left, right) in expected.Zip(actual))
            foreach (var (name, values) in right) Rows.Close(left[name], values, Tolerance);
    }
}
