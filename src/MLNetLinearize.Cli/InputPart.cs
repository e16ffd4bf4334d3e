namespace MLNetLinearize.Cli;

/// <summary>One of a model's inputs as a stretch of the row that feeds them all.</summary>
/// <param name="Name">The input's name.</param>
/// <param name="ElementType">What the model takes there.</param>
/// <param name="RowShape">Shape of one row.</param>
/// <param name="HasBatchAxis">Whether the model counts rows before that shape.</param>
/// <param name="Offset">Where the stretch begins; for texts, where they begin among the row's.</param>
internal sealed record InputPart(string Name, Type ElementType, IReadOnlyList<int> RowShape, bool HasBatchAxis, int Offset)
{
    /// <summary>float32 holds every whole number up to here, 2²⁴, and not every one beyond.</summary>
    private const double MostExact = 1 << 24;

    public int Length => RowShape.Aggregate(1, (a, d) => a * d);

    /// <summary>Whether the model takes texts there, which are an input of their own and no stretch of the row.</summary>
    public bool IsText => ElementType == typeof(string);

    /// <summary>Whether the model takes whole numbers or truth values, which have no slope.</summary>
    public bool IsWhole => !(ElementType == typeof(float) || ElementType == typeof(double) || IsText);

    /// <summary>Names that the column of an element may have, as a list's elements are named in a Parquet file.</summary>
    public IEnumerable<string> ColumnNames(int element) => Length == 1 ? [Name, $"{Name}[0]"] : [$"{Name}[{element}]"];

    /// <summary>The columns that hold this input.</summary>
    public string Columns => Length == 1 ? Name : $"{Name}[0] … {Name}[{Length - 1}]";

    /// <summary>Whether the model takes a number there and the row, which is of float32, holds it.</summary>
    public bool Holds(double value) => !IsWhole || Math.Abs(value) <= MostExact && Convert(value) is { } taken && taken == value;

    /// <summary>This input's values of a joined row, in its own element type.</summary>
    public Array Take(ReadOnlySpan<float> row)
    {
        var values = Array.CreateInstance(ElementType, Length);
        for (var i = 0; i < Length; i++) values.SetValue(System.Convert.ChangeType(row[Offset + i], ElementType, System.Globalization.CultureInfo.InvariantCulture), i);
        return values;
    }

    /// <summary>The number that the element type makes of a value; null where it holds none like it.</summary>
    private double? Convert(double value) => Type.GetTypeCode(ElementType) switch
    {
        TypeCode.Boolean => value is 0 or 1 ? value : null,
        TypeCode.Int64 or TypeCode.Int32 => Math.Truncate(value),
        TypeCode.Int16 => NumberOf<short>(value),
        TypeCode.SByte => NumberOf<sbyte>(value),
        TypeCode.UInt64 or TypeCode.UInt32 => NumberOf<uint>(value),
        TypeCode.UInt16 => NumberOf<ushort>(value),
        TypeCode.Byte => NumberOf<byte>(value),
        _ => null,
    };

    private static double NumberOf<T>(double value) where T : System.Numerics.INumber<T> => double.CreateSaturating(T.CreateSaturating(value));
}
