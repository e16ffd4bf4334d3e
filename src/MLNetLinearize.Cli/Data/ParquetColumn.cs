using System.Globalization;
using System.Numerics;
using Parquet;
using Parquet.Data;
using Parquet.Schema;

namespace MLNetLinearize.Cli.Data;

/// <summary>One column of a row group: for each row its values, one of a flat column, any number of a list.</summary>
internal abstract class ParquetColumn
{
    private readonly int[] starts, definitions;
    private readonly int present;

    private protected ParquetColumn(DataField field, RawColumnData data, int rows)
    {
        present = field.MaxDefinitionLevel;
        definitions = present > 0 ? data.DefinitionLevels.ToArray() : [];
        starts = new int[rows + 1];
        if (field.MaxRepetitionLevel == 0)
        {
            for (var i = 0; i <= rows; i++) starts[i] = i;
            return;
        }
        var levels = data.RepetitionLevels;
        var row = 0;
        for (var i = 0; i < levels.Length; i++)
            if (levels[i] == 0) starts[row++] = i;
        if (row != rows) throw new InputException($"column '{field.Path.FirstPart}' holds {row:N0} lists in a row group of {rows:N0} rows. The file is damaged.");
        starts[rows] = levels.Length;
    }

    /// <summary>Number of values that a row has, the missing ones too; an empty or missing list counts as one missing value.</summary>
    public int Length(int row) => starts[row + 1] - starts[row];

    /// <summary>First index of a row's values.</summary>
    public int Start(int row) => starts[row];

    public bool IsPresent(int index) => present == 0 || definitions[index] == present;

    /// <summary>A number; only where one is present.</summary>
    public abstract double Number(int index);

    /// <summary>The value as text; only where one is present.</summary>
    public abstract string Text(int index);

    /// <summary>Whether numbers of this type can be read.</summary>
    public static bool IsNumber(DataField field) => Type.GetTypeCode(field.ClrType) is >= TypeCode.SByte and <= TypeCode.Double or TypeCode.Boolean;

    /// <summary>Reads one column of a row group.</summary>
    public static ParquetColumn Read(ParquetRowGroupReader group, DataField field)
    {
        using var data = group.ReadRawColumnDataBaseAsync(field, CancellationToken.None).AsTask().GetAwaiter().GetResult();
        var rows = checked((int)group.RowCount);
        return data switch
        {
            RawColumnData<float> d => new Numbers<float>(field, d, rows),
            RawColumnData<double> d => new Numbers<double>(field, d, rows),
            RawColumnData<long> d => new Numbers<long>(field, d, rows),
            RawColumnData<int> d => new Numbers<int>(field, d, rows),
            RawColumnData<short> d => new Numbers<short>(field, d, rows),
            RawColumnData<sbyte> d => new Numbers<sbyte>(field, d, rows),
            RawColumnData<byte> d => new Numbers<byte>(field, d, rows),
            RawColumnData<ushort> d => new Numbers<ushort>(field, d, rows),
            RawColumnData<uint> d => new Numbers<uint>(field, d, rows),
            RawColumnData<ulong> d => new Numbers<ulong>(field, d, rows),
            RawColumnData<bool> d => new Others<bool>(field, d, rows, b => b ? 1 : 0, b => b ? "1" : "0"),
            RawColumnData<ReadOnlyMemory<char>> d => new Others<ReadOnlyMemory<char>>(field, d, rows, _ => double.NaN, t => t.ToString()),
            _ => throw new InputException($"column '{field.Path.FirstPart}' holds {field.ClrType.Name} values; expected numbers."),
        };
    }

    /// <summary>Values as the file stores them: without gaps, so that a present value's place is the number of present ones before it.</summary>
    private abstract class Stored<T> : ParquetColumn where T : struct
    {
        private readonly T[] values;
        private readonly int[]? places;

        protected Stored(DataField field, RawColumnData<T> data, int rows) : base(field, data, rows)
        {
            values = data.Values.ToArray();
            if (present == 0 || definitions.All(d => d == present)) return;
            places = new int[definitions.Length];
            for (int i = 0, place = 0; i < places.Length; i++) places[i] = definitions[i] == present ? place++ : -1;
        }

        protected T Value(int index) => values[places is null ? index : places[index]];
    }

    private sealed class Numbers<T>(DataField field, RawColumnData<T> data, int rows) : Stored<T>(field, data, rows) where T : struct, INumber<T>
    {
        public override double Number(int index) => double.CreateChecked(Value(index));

        public override string Text(int index) => Value(index).ToString(null, CultureInfo.InvariantCulture);
    }

    private sealed class Others<T>(DataField field, RawColumnData<T> data, int rows, Func<T, double> number, Func<T, string> text) : Stored<T>(field, data, rows) where T : struct
    {
        public override double Number(int index) => number(Value(index));

        public override string Text(int index) => text(Value(index));
    }
}
