using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNetLinearize.Bulk;

/// <summary>The table of handwritten digits, repeated with noise as often as it takes.</summary>
internal sealed class Digits
{
    private const float Noise = 0.02f;

    private readonly MLContext ml;
    private readonly List<float[]> rows;

    public Digits(MLContext ml, string file)
    {
        this.ml = ml;
        var table = ml.Data.LoadFromTextFile(file, [new("Label", DataKind.Int64, 0), new("ink", DataKind.Single, 1, Digit.Pixels)], separatorChar: ',', hasHeader: true);
        // Ink is 0 to 16 in the file, and 0 to 1 for the networks.
        rows = [.. table.GetColumn<float[]>("ink").Select(ink => ink.Select(v => v / 16).ToArray())];
    }

    /// <summary>Rows that are made as they are read, the same in every pass, in one object that is written again and again.</summary>
    public IDataView View(int count) => ml.Data.LoadFromEnumerable(Make(count, reuse: true));

    public IReadOnlyList<Digit> List(int count) => [.. Make(count, reuse: false)];

    private IEnumerable<Digit> Make(int count, bool reuse)
    {
        var random = new Random(1);
        var digit = new Digit();
        for (var i = 0; i < count; i++)
        {
            if (!reuse) digit = new Digit();
            digit.Number = i;
            var source = rows[i % rows.Count];
            for (var j = 0; j < source.Length; j++) digit.pixels[j] = source[j] + Noise * (random.NextSingle() - 0.5f);
            yield return digit;
        }
    }
}

internal sealed class Digit
{
    public const int Pixels = 64;

    public long Number { get; set; }

    [VectorType(Pixels)]
    public float[] pixels { get; set; } = new float[Pixels];
}

/// <summary>Reads every column of a view, as an export of the explanations does.</summary>
internal static class AllColumns
{
    /// <summary>Reads all rows, and calls <paramref name="at"/> behind each.</summary>
    /// <returns>Number of rows.</returns>
    public static long Read(IDataView view, Action<long>? at = null)
    {
        return Read(view.GetRowCursor(view.Schema.Where(c => !c.IsHidden)), at);
    }

    /// <summary>Reads a cursor to its end and disposes it.</summary>
    public static long Read(DataViewRowCursor cursor, Action<long>? at = null)
    {
        using var _ = cursor;
        var readers = cursor.Schema.Where(cursor.IsColumnActive).Select(c => Reader(cursor, c)).ToList();
        var count = 0L;
        while (cursor.MoveNext())
        {
            foreach (var read in readers) read();
            count++;
            at?.Invoke(count);
        }
        return count;
    }

    private static Action Reader(DataViewRowCursor cursor, DataViewSchema.Column column) => column.Type switch
    {
        VectorDataViewType { ItemType.RawType: var t } when t == typeof(float) => Reader<VBuffer<float>>(cursor, column),
        VectorDataViewType => Reader<VBuffer<long>>(cursor, column),
        _ => Reader<long>(cursor, column),
    };

    private static Action Reader<T>(DataViewRowCursor cursor, DataViewSchema.Column column)
    {
        var getter = cursor.GetGetter<T>(column);
        T value = default!;
        return () => getter(ref value);
    }
}
