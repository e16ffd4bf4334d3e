using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNetLinearize.Transforms;

/// <summary>
/// Keeps an input column's values of a batch of rows, so that each row is handed out beside its own explanation though
/// the one source cursor is already further on.
/// </summary>
internal abstract class PassThrough
{
    /// <summary>Copies the value that the source is at into row <paramref name="slot"/> of the batch.</summary>
    public abstract void Read(int slot);

    /// <summary>A <c>ValueGetter</c> of the row that <paramref name="current"/> gives.</summary>
    public abstract Delegate Getter(Func<int> current);

    /// <summary>
    /// Whether values of this type can be kept: numbers, times, keys, ids, texts (whose characters ML.NET never changes
    /// afterwards) and vectors of those. Others, images above all, may be one object that each row overwrites or disposes.
    /// </summary>
    public static bool CanKeep(DataViewType type)
    {
        var item = type is VectorDataViewType vector ? vector.ItemType : type;
        return item is NumberDataViewType or KeyDataViewType or BooleanDataViewType or TextDataViewType or DateTimeDataViewType or DateTimeOffsetDataViewType
            or TimeSpanDataViewType or RowIdDataViewType;
    }

    public static PassThrough Create(DataViewRow source, DataViewSchema.Column column, int capacity)
    {
        var kind = column.Type is VectorDataViewType vector
            ? typeof(Vectors<>).MakeGenericType(vector.ItemType.RawType)
            : typeof(Values<>).MakeGenericType(column.Type.RawType);
        return (PassThrough)Activator.CreateInstance(kind, source, column, capacity)!;
    }

    private sealed class Values<T>(DataViewRow source, DataViewSchema.Column column, int capacity) : PassThrough
    {
        private readonly ValueGetter<T> read = source.GetGetter<T>(column);
        private readonly T[] values = new T[capacity];

        public override void Read(int slot) => read(ref values[slot]);

        public override Delegate Getter(Func<int> current) => (ValueGetter<T>)((ref T value) => value = values[current()]);
    }

    private sealed class Vectors<T>(DataViewRow source, DataViewSchema.Column column, int capacity) : PassThrough
    {
        private readonly ValueGetter<VBuffer<T>> read = source.GetGetter<VBuffer<T>>(column);
        private readonly VBuffer<T>[] values = new VBuffer<T>[capacity];

        public override void Read(int slot) => read(ref values[slot]);

        public override Delegate Getter(Func<int> current) => (ValueGetter<VBuffer<T>>)((ref VBuffer<T> value) => values[current()].CopyTo(ref value));
    }
}
