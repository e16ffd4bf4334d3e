using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace LoadWithoutLibrary;

/// <summary>A data view as lines of text: one per column with type and slot names, one per row and column with the values.</summary>
internal static class ViewText
{
    public static IEnumerable<string> Of(IDataView view, IReadOnlyCollection<string> columns)
    {
        var wanted = view.Schema.Where(c => columns.Contains(c.Name) && !c.IsHidden).ToList();
        foreach (var column in wanted) yield return $"column {column.Name}: {column.Type} {SlotNames(column)}";
        using var cursor = view.GetRowCursor(wanted);
        var readers = wanted.Select(c => Reader(cursor, c)).ToList();
        while (cursor.MoveNext())
            foreach (var reader in readers) yield return reader();
    }

    private static string SlotNames(DataViewSchema.Column column)
    {
        if (!column.HasSlotNames()) return "without slot names";
        var names = default(VBuffer<ReadOnlyMemory<char>>);
        column.GetSlotNames(ref names);
        return $"with slots {string.Join(' ', names.DenseValues())}";
    }

    private static Func<string> Reader(DataViewRow row, DataViewSchema.Column column) => column.Type is ImageDataViewType ? Image(row, column) :
        ((VectorDataViewType)column.Type).ItemType.RawType == typeof(float) ? Reader<float>(row, column) : Reader<long>(row, column);

    private static Func<string> Image(DataViewRow row, DataViewSchema.Column column)
    {
        var getter = row.GetGetter<MLImage>(column);
        return () =>
        {
            var value = default(MLImage);
            getter(ref value!);
            using (value) return $"{row.Position} {column.Name} {value.Height} {value.Width} {string.Join(' ', value.Pixels.ToArray())}";
        };
    }

    private static Func<string> Reader<T>(DataViewRow row, DataViewSchema.Column column) where T : IFormattable
    {
        var getter = row.GetGetter<VBuffer<T>>(column);
        var value = default(VBuffer<T>);
        return () =>
        {
            getter(ref value);
            return $"{row.Position} {column.Name} {string.Join(' ', value.DenseValues().Select(v => v.ToString("R", CultureInfo.InvariantCulture)))}";
        };
    }
}
