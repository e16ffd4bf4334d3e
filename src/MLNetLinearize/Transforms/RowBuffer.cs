using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNetLinearize.Transforms;

/// <summary>
/// Rows copied from a source cursor: the model's inputs, the columns that the consumer reads, ids and positions. All are
/// typed arrays that are written over again and again.
/// </summary>
internal sealed class RowBuffer
{
    private readonly SharedSource source;
    private readonly InputReader inputs;
    private readonly Dictionary<int, PassThrough> kept;
    private readonly PassThrough[] columns;
    private readonly ValueGetter<DataViewRowId> readId;
    private readonly DataViewRowId[] ids;
    private readonly long[] positions;
    private readonly long[] batches;

    public RowBuffer(SharedSource source, ColumnBinding binding, IEnumerable<DataViewSchema.Column> columns, int rows)
    {
        this.source = source;
        var cursor = source.Cursor;
        inputs = new InputReader(binding, cursor, rows);
        kept = columns.ToDictionary(c => c.Index, c => PassThrough.Create(cursor, cursor.Schema[c.Index], rows));
        this.columns = [.. kept.Values];
        readId = cursor.GetIdGetter();
        ids = new DataViewRowId[rows];
        positions = new long[rows];
        batches = new long[rows];
    }

    /// <summary>By name of the ONNX input: all rows, one after the other.</summary>
    public IReadOnlyDictionary<string, Array> Inputs => inputs.Arrays;

    public ref readonly DataViewRowId Id(int row) => ref ids[row];

    public long Position(int row) => positions[row];

    public long Batch(int row) => batches[row];

    public Delegate Getter(int column, Func<int> current) => kept[column].Getter(current);

    /// <summary>Reads up to <paramref name="most"/> rows to the places from <paramref name="start"/> on, and gives their number.</summary>
    public int Read(int start, int most, CancellationToken cancellation)
    {
        lock (source.Gate)
        {
            source.BeginBatch();
            try
            {
                var count = 0;
                for (; count < most && !cancellation.IsCancellationRequested && source.MoveNext(); count++) Read(start + count);
                return count;
            }
            catch (Exception e)
            {
                source.Fail(e);
                throw;
            }
        }
    }

    private void Read(int row)
    {
        inputs.Read(row);
        foreach (var column in columns) column.Read(row);
        readId(ref ids[row]);
        positions[row] = source.Cursor.Position;
        batches[row] = source.Batch;
    }
}
