using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNetLinearize.Preprocessing;

/// <summary>Columns of numbers: which they are, how many numbers a value has, and reading them as doubles.</summary>
internal static class Numbers
{
    // Powers of two, so that dividing by them loses nothing; for floats so large that no offset shows beside them.
    private static readonly Dictionary<Type, double> LargeValues = new()
    {
        [typeof(float)] = Math.Pow(2, 60),
        [typeof(double)] = Math.Pow(2, 60),
        [typeof(sbyte)] = 1 << 6,
        [typeof(short)] = 1 << 14,
        [typeof(int)] = 1 << 30,
        [typeof(long)] = Math.Pow(2, 60),
        [typeof(byte)] = 1 << 7,
        [typeof(ushort)] = 1 << 15,
        [typeof(uint)] = 1u << 31,
        [typeof(ulong)] = Math.Pow(2, 60),
        [typeof(bool)] = 1,
    };

    public static DataViewType Item(DataViewType type) => type is VectorDataViewType vector ? vector.ItemType : type;

    /// <summary>Slots of a value; 0 where rows may differ in it.</summary>
    public static int Length(DataViewType type) => type is VectorDataViewType vector ? vector.Size : 1;

    public static bool Are(DataViewType type) => Item(type) is NumberDataViewType or BooleanDataViewType && Length(type) > 0;

    public static bool CanBeNaN(DataViewType type) => Item(type).RawType == typeof(float) || Item(type).RawType == typeof(double);

    /// <summary>The large value to find a slope with.</summary>
    public static double Large(DataViewType type) => LargeValues[Item(type).RawType];

    /// <summary>The value of this type nearest to a number.</summary>
    public static double Nearest(DataViewType type, double value)
    {
        var item = Item(type).RawType;
        if (item == typeof(float)) return (float)value;
        if (item == typeof(double)) return value;
        var large = LargeValues[item];
        var isSigned = item == typeof(sbyte) || item == typeof(short) || item == typeof(int) || item == typeof(long);
        return Math.Clamp(Math.Round(value), isSigned ? -large : 0, large);
    }

    /// <summary>A reader of the numbers in the row that a cursor is at.</summary>
    public static Func<double[]> Reader(DataViewRow row, DataViewSchema.Column column)
    {
        var type = Item(column.Type).RawType;
        if (type == typeof(float)) return Reader<float>(row, column, v => v);
        if (type == typeof(double)) return Reader<double>(row, column, v => v);
        if (type == typeof(sbyte)) return Reader<sbyte>(row, column, v => v);
        if (type == typeof(short)) return Reader<short>(row, column, v => v);
        if (type == typeof(int)) return Reader<int>(row, column, v => v);
        if (type == typeof(long)) return Reader<long>(row, column, v => v);
        if (type == typeof(byte)) return Reader<byte>(row, column, v => v);
        if (type == typeof(ushort)) return Reader<ushort>(row, column, v => v);
        if (type == typeof(uint)) return Reader<uint>(row, column, v => v);
        if (type == typeof(ulong)) return Reader<ulong>(row, column, v => v);
        return Reader<bool>(row, column, v => v ? 1 : 0);
    }

    private static Func<double[]> Reader<T>(DataViewRow row, DataViewSchema.Column column, Func<T, double> convert)
    {
        var values = new double[Length(column.Type)];
        if (column.Type is not VectorDataViewType)
        {
            var scalar = row.GetGetter<T>(column);
            T one = default!;
            return () =>
            {
                scalar(ref one);
                values[0] = convert(one);
                return values;
            };
        }
        var getter = row.GetGetter<VBuffer<T>>(column);
        var buffer = default(VBuffer<T>);
        return () =>
        {
            getter(ref buffer);
            Array.Clear(values);
            foreach (var (slot, value) in buffer.Items()) values[slot] = convert(value);
            return values;
        };
    }
}
