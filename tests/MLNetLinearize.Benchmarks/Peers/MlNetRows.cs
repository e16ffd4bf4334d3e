using Google.Protobuf;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Onnx;
using MLNetLinearize.Benchmarks.Networks;
using MLNetLinearize.Onnx;

namespace MLNetLinearize.Benchmarks.Peers;

/// <summary>The same rows of one IDataView, scored by ML.NET's stock transformer or explained by ours, every column read.</summary>
internal sealed class MlNetRows : IDisposable
{
    private readonly IDataView view;
    private readonly List<string> columns;
    private readonly IDisposable? model;

    private MlNetRows(ITransformer transformer, IDataView rows)
    {
        view = transformer.Transform(rows);
        columns = [.. view.Schema.Select(c => c.Name).Where(n => n != Network.Input)];
        model = transformer as IDisposable;
    }

    /// <summary>Scores alone, by <c>ApplyOnnxModel</c>.</summary>
    public static MlNetRows Scoring(Network network, float[] values, int count, int threads)
    {
        var ml = new MLContext();
        var rows = View(ml, network, values, count);
        var file = Path.GetTempFileName();
        try
        {
            OnnxFile.Write(OnnxWriter.Write(network, batch: 1), file);
            return new(ml.Transforms.ApplyOnnxModel(new OnnxOptions { ModelFile = file, InputColumns = [Network.Input], OutputColumns = [Network.Output], IntraOpNumThreads = threads }).Fit(rows), rows);
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>The predicted class, explained: all columns of <c>Linearize</c>.</summary>
    public static MlNetRows Explaining(Network network, float[] values, int count, int threads)
    {
        var ml = new MLContext();
        var rows = View(ml, network, values, count);
        using var model = new MemoryStream(OnnxWriter.Write(network).ToByteArray());
        return new(ml.Transforms.Linearize(model, new() { Threads = threads }).Fit(rows), rows);
    }

    /// <summary>Passes over all rows once.</summary>
    public void Run()
    {
        using var cursor = view.GetRowCursor(view.Schema.Where(c => columns.Contains(c.Name)));
        var readers = columns.Select(name => Reader(cursor, view.Schema[name])).ToArray();
        while (cursor.MoveNext())
            foreach (var read in readers) read();
    }

    public void Dispose() => model?.Dispose();

    private static Action Reader(DataViewRow row, DataViewSchema.Column column) => column.Type switch
    {
        VectorDataViewType { ItemType.RawType: var type } when type == typeof(float) => Reader<float>(row, column),
        VectorDataViewType { ItemType.RawType: var type } when type == typeof(long) => Reader<long>(row, column),
        var type => throw new InvalidOperationException($"Column '{column.Name}' is {type}; vectors of Single and Int64 are expected."),
    };

    private static Action Reader<T>(DataViewRow row, DataViewSchema.Column column)
    {
        var getter = row.GetGetter<VBuffer<T>>(column);
        var value = default(VBuffer<T>);
        return () => getter(ref value);
    }

    private static IDataView View(MLContext ml, Network network, float[] values, int count)
    {
        var schema = SchemaDefinition.Create(typeof(Row));
        schema[Network.Input].ColumnType = new VectorDataViewType(NumberDataViewType.Single, network.RowShape);
        return ml.Data.LoadFromEnumerable(values.Chunk(network.RowLength).Take(count).Select(v => new Row { Values = v }).ToList(), schema);
    }

    private sealed class Row
    {
        [ColumnName(Network.Input)]
        public float[] Values { get; set; } = [];
    }
}
