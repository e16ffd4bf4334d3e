using System.Reflection;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNetLinearize.Preprocessing;

/// <summary>
/// Points as the slots of number columns, one column after the other. A point of few numbers that are not 0 is sparse, so
/// that unit vectors of long columns are cheap.
/// </summary>
/// <param name="columns">The columns.</param>
/// <param name="fill">Writes point i over zeros.</param>
internal sealed class ProbePoints(IReadOnlyList<DataViewSchema.Column> columns, Action<int, double[]> fill) : ProbeValues(columns)
{
    private static readonly Dictionary<Type, Delegate> Conversions = new()
    {
        [typeof(float)] = (Func<double, float>)(v => (float)v),
        [typeof(double)] = (Func<double, double>)(v => v),
        [typeof(sbyte)] = (Func<double, sbyte>)(v => (sbyte)v),
        [typeof(short)] = (Func<double, short>)(v => (short)v),
        [typeof(int)] = (Func<double, int>)(v => (int)v),
        [typeof(long)] = (Func<double, long>)(v => (long)v),
        [typeof(byte)] = (Func<double, byte>)(v => (byte)v),
        [typeof(ushort)] = (Func<double, ushort>)(v => (ushort)v),
        [typeof(uint)] = (Func<double, uint>)(v => (uint)v),
        [typeof(ulong)] = (Func<double, ulong>)(v => (ulong)v),
        [typeof(bool)] = (Func<double, bool>)(v => v != 0),
    };

    private readonly double[] point = new double[columns.Sum(c => Numbers.Length(c.Type))];

    public override void MoveTo(int row)
    {
        Array.Clear(point);
        fill(row, point);
    }

    public override Delegate Getter(DataViewSchema.Column column)
    {
        var start = Columns.TakeWhile(c => c.Index != column.Index).Sum(c => Numbers.Length(c.Type));
        var type = Numbers.Item(column.Type).RawType;
        var make = typeof(ProbePoints).GetMethod(column.Type is VectorDataViewType ? nameof(Vector) : nameof(Scalar), BindingFlags.NonPublic | BindingFlags.Instance)!;
        return (Delegate)make.MakeGenericMethod(type).Invoke(this, [start, Numbers.Length(column.Type), Conversions[type]])!;
    }

    private ValueGetter<T> Scalar<T>(int start, int length, Func<double, T> convert) => (ref T value) => value = convert(point[start]);

    private ValueGetter<VBuffer<T>> Vector<T>(int start, int length, Func<double, T> convert) => (ref VBuffer<T> value) =>
    {
        var slots = point.AsSpan(start, length);
        var given = length - slots.Count(0d);
        var isSparse = given <= length / 4;
        var editor = VBufferEditor.Create(ref value, length, isSparse ? given : length);
        for (int i = 0, next = 0; i < length; i++)
        {
            if (isSparse && slots[i] == 0) continue;
            if (isSparse) editor.Indices[next] = i;
            editor.Values[next++] = convert(slots[i]);
        }
        value = editor.Commit();
    };
}
