using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetLinearize.Linearization;

namespace MLNetLinearize.Transforms;

/// <summary>
/// The column of <see cref="Targets.FromColumn"/>: how its values name outputs of the network. ML.NET numbers keys from 1
/// in the order of their appearance, so a key's raw value is the wrong class; its key value counts.
/// </summary>
internal sealed class LabelColumn
{
    /// <summary>What the graph takes for a row without a usable label.</summary>
    public const long NoClass = -1;

    /// <summary>The option that names the column, for messages.</summary>
    public const string OfTargets = $"{nameof(Targets)}.{nameof(Targets.FromColumn)}";

    private readonly long[]? keyTable;
    private readonly Dictionary<string, long>? classes;
    private readonly int outputs;

    private LabelColumn(DataViewSchema.Column column, int outputs, long[]? keyTable, Dictionary<string, long>? classes)
    {
        Column = column;
        this.outputs = outputs;
        this.keyTable = keyTable;
        this.classes = classes;
    }

    public DataViewSchema.Column Column { get; }

    public static LabelColumn Bind(LinearizationGraph graph, DataViewSchema schema, string name, string option)
    {
        var column = schema.GetColumnOrNull(name) ?? throw Missing(name, option, schema.Select(c => $"{c.Name}: {c.Type}"));
        CheckType(graph, name, option, column.Type.ToString()!, column.Type.RawType, column.Type is KeyDataViewType, column.Type is VectorDataViewType, column.Annotations.Schema.GetColumnOrNull(KeyValues.Annotation) is not null);
        var classes = Classes(graph.Options.ClassNames);
        var table = column.Type is KeyDataViewType ? KeyTable(column, option, classes, graph.OutputCount) : null;
        return new(column, graph.OutputCount, table, classes);
    }

    /// <summary>What can be checked without reading key values: also done on the shape of a schema.</summary>
    public static void CheckType(LinearizationGraph graph, string name, string option, string type, Type raw, bool isKey, bool isVector, bool hasKeyValues)
    {
        if (isVector)
            throw Refused(name, option, type, "a vector; a row has one label", "Name a column with one value a row.");
        if (isKey)
        {
            if (!hasKeyValues) throw Refused(name, option, type, "a key without key values, so nothing says which class a key stands for", "Make the key with MapValueToKey, or name an integer column with the class numbers (from 0).");
            return;
        }
        if (raw == typeof(ReadOnlyMemory<char>))
        {
            if (graph.Options.ClassNames is null && graph.Options.ClassNamesColumn is null)
                throw Refused(name, option, type, "text, and no class names are known", $"Set LinearizeOptions.{nameof(LinearizeOptions.ClassNames)} to the names in the order of the network's outputs.");
            return;
        }
        if (!IsNumber(raw))
            throw Refused(name, option, type, "no label", "Name a key, integer or text column.");
    }

    public static ArgumentException Missing(string name, string option, IEnumerable<string> available) =>
        new($"Column '{name}' of {option} is missing. Expected a key, integer or text column with the row's class. The columns are {InputColumn.Short(available)}.");

    /// <summary>A reader of the class of the row that <paramref name="row"/> is at, or <see cref="NoClass"/>.</summary>
    public Func<long> Reader(DataViewRow row)
    {
        var type = Column.Type.RawType;
        if (type == typeof(ReadOnlyMemory<char>)) return Read<ReadOnlyMemory<char>>(row, v => classes!.GetValueOrDefault(v.ToString(), NoClass));
        if (type == typeof(float)) return Read<float>(row, v => Whole(v));
        if (type == typeof(double)) return Read<double>(row, Whole);
        if (type == typeof(bool)) return Read<bool>(row, v => Number(v ? 1 : 0));
        if (type == typeof(sbyte)) return Read<sbyte>(row, v => Number(v));
        if (type == typeof(short)) return Read<short>(row, v => Number(v));
        if (type == typeof(int)) return Read<int>(row, v => Number(v));
        if (type == typeof(long)) return Read<long>(row, Number);
        if (type == typeof(byte)) return Read<byte>(row, v => KeyOrNumber(v));
        if (type == typeof(ushort)) return Read<ushort>(row, v => KeyOrNumber(v));
        if (type == typeof(uint)) return Read<uint>(row, v => KeyOrNumber(v));
        return Read<ulong>(row, KeyOrNumber);
    }

    /// <summary>The same mapping for the saved graph.</summary>
    public SavedLabel Saved() => new(Column.Name, Column.Type.RawType == typeof(ReadOnlyMemory<char>) ? typeof(string) : Column.Type.RawType, keyTable,
        classes?.OrderBy(c => c.Value).Select(c => (c.Key, c.Value)).ToList(), outputs);

    private static Func<long> Read<T>(DataViewRow row, Func<T, long> map, DataViewSchema.Column column)
    {
        var getter = row.GetGetter<T>(column);
        T value = default!;
        return () =>
        {
            getter(ref value);
            return map(value);
        };
    }

    private Func<long> Read<T>(DataViewRow row, Func<T, long> map) => Read(row, map, row.Schema[Column.Index]);

    private long Number(long value) => value >= 0 && value < outputs ? value : NoClass;

    private long Whole(double value) => value >= 0 && value < outputs && Math.Floor(value) == value ? (long)value : NoClass;

    private long KeyOrNumber(ulong value)
    {
        if (keyTable is not null) return value < (ulong)keyTable.Length ? keyTable[value] : NoClass;
        return value < (ulong)outputs ? (long)value : NoClass;
    }

    /// <summary>Class by raw key value; raw value 0 is the missing key.</summary>
    private static long[] KeyTable(DataViewSchema.Column column, string option, Dictionary<string, long>? classes, int outputs)
    {
        var values = KeyValues.Read(column, option);
        var table = new List<long> { NoClass };
        var unknown = new List<string>();
        foreach (var value in values)
        {
            // A number out of range is a label the network does not know: that row is NaN. A word that means nothing is a mistake.
            if (value is string text && classes is not null)
            {
                if (!classes.TryGetValue(text, out var index)) unknown.Add(text);
                table.Add(classes.ContainsKey(text) ? index : NoClass);
            }
            else if (Number(value) is { } number)
            {
                table.Add(number >= 0 && number < outputs && Math.Floor(number) == number ? (long)number : NoClass);
            }
            else
            {
                unknown.Add(value.ToString()!);
            }
        }
        if (unknown.Count == 0) return [.. table];
        var remedy = classes is null
            ? $"Set LinearizeOptions.{nameof(LinearizeOptions.ClassNames)} to the names in the order of the network's outputs."
            : $"LinearizeOptions.{nameof(LinearizeOptions.ClassNames)} has {InputColumn.Short(classes.Keys)}; make both agree.";
        throw Refused(column.Name, option, column.Type.ToString()!, $"a key whose key values {InputColumn.Short(unknown)} name no class of the network", remedy);
    }

    private static double? Number(object value) => value switch
    {
        string text => long.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var n) ? n : null,
        _ => Convert.ToDouble(value, CultureInfo.InvariantCulture),
    };

    private static Dictionary<string, long>? Classes(IReadOnlyList<string>? names)
    {
        if (names is null) return null;
        var classes = new Dictionary<string, long>(StringComparer.Ordinal);
        for (var i = 0; i < names.Count; i++) classes.TryAdd(names[i], i);
        return classes;
    }

    private static bool IsNumber(Type type) =>
        type == typeof(float) || type == typeof(double) || type == typeof(bool) || type == typeof(sbyte) || type == typeof(byte) || type == typeof(short) ||
        type == typeof(ushort) || type == typeof(int) || type == typeof(uint) || type == typeof(long) || type == typeof(ulong);

    private static ArgumentException Refused(string name, string option, string type, string what, string remedy) =>
        new($"Column '{name}' of {option} is {what} (its type: {type}). Expected a key with key values, an integer, or text. {remedy}");
}
