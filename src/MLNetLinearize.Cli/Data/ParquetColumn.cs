using System.Globalization;
using System.Numerics;
using Parquet.Data;
using Parquet.Schema;

namespace MLNetLinearize.Cli.Data;

/// <summary>One column of a row group: for each row its values, one of a flat column, any number of a list.</summary>
internal abstract class ParquetColumn
{
    private readonly int[] starts, definitions;
    private readonly int present;

    /// <param name="file">The file.</param>
    /// <param name="field">The column.</param>
    /// <param name="data">What the file has of it.</param>
    /// <param name="rows">Rows of the group.</param>
    /// <param name="values">Values that are there.</param>
    /// <exception cref="InputException">The parts of the column do not agree, of which the library looks at none.</exception>
    private protected ParquetColumn(ParquetFile file, DataField field, RawColumnData data, int rows, int values)
    {
        present = field.MaxDefinitionLevel;
        var levels = field.MaxRepetitionLevel == 0 ? [] : data.RepetitionLevels;
        if (field.MaxRepetitionLevel > 0 && (levels.Count(0) != rows || rows > 0 && levels[0] != 0)) throw Unsound($"{levels.Count(0):N0} lists", rows);
        var count = field.MaxRepetitionLevel == 0 ? rows : levels.Length;
        definitions = present > 0 ? data.DefinitionLevels.ToArray() : [];
        if (present > 0 && definitions.Length != count) throw Unsound($"{definitions.Length:N0} values", count);
        if (values < (present > 0 ? definitions.AsSpan().Count(present) : count)) throw Unsound($"{values:N0} values", count);
        starts = new int[rows + 1];
        var row = 0;
        for (var i = 0; i < count; i++)
            if (levels.IsEmpty || levels[i] == 0) starts[row++] = i;
        starts[rows] = count;

        InputException Unsound(string found, int expected) => file.Unsound($"column '{Names.Short(field.Path.FirstPart ?? "")}' holds {found} where "
            + $"{expected:N0} belong.");
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
    public static ParquetColumn Read(ParquetFile file, DataField field, int rows)
    {
        using var data = file.Read(field);
        return data switch
        {
            RawColumnData<float> d => new Numbers<float>(file, field, d, rows),
            RawColumnData<double> d => new Numbers<double>(file, field, d, rows),
            RawColumnData<long> d => new Numbers<long>(file, field, d, rows),
            RawColumnData<int> d => new Numbers<int>(file, field, d, rows),
            RawColumnData<short> d => new Numbers<short>(file, field, d, rows),
            RawColumnData<sbyte> d => new Numbers<sbyte>(file, field, d, rows),
            RawColumnData<byte> d => new Numbers<byte>(file, field, d, rows),
            RawColumnData<ushort> d => new Numbers<ushort>(file, field, d, rows),
            RawColumnData<uint> d => new Numbers<uint>(file, field, d, rows),
            RawColumnData<ulong> d => new Numbers<ulong>(file, field, d, rows),
            RawColumnData<bool> d => new Others<bool>(file, field, d, rows, b => b ? 1 : 0, b => b ? "1" : "0"),
            RawColumnData<ReadOnlyMemory<char>> d => new Others<ReadOnlyMemory<char>>(file, field, d, rows, _ => double.NaN, t => t.ToString()),
            _ => throw new InputException($"'{file.Name}', column '{Names.Short(field.Path.FirstPart ?? "")}': holds {field.ClrType.Name} values; "
                + "expected numbers."),
        };
    }

    /// <summary>Values as the file stores them: without gaps, so that a present value's place is the number of present ones before it.</summary>
    private abstract class Stored<T> : ParquetColumn where T : struct
    {
        private readonly T[] values;
        private readonly int[]? places;

        protected Stored(ParquetFile file, DataField field, RawColumnData<T> data, int rows) : base(file, field, data, rows, data.Values.Length)
        {
            values = data.Values.ToArray();
            if (present == 0 || definitions.All(d => d == present)) return;
            places = new int[definitions.Length];
            for (int i = 0, place = 0; i < places.Length; i++) places[i] = definitions[i] == present ? place++ : -1;
        }

        protected T Value(int index) => values[places is null ? index : places[index]];
    }

    private sealed class Numbers<T>(ParquetFile file, DataField field, RawColumnData<T> data, int rows)
        : Stored<T>(file, field, data, rows) where T : struct, INumber<T>
    {
        public override double Number(int index) => double.CreateChecked(Value(index));

        public override string Text(int index) => Value(index).ToString(null, CultureInfo.InvariantCulture);
    }

    private sealed class Others<T>(ParquetFile file, DataField field, RawColumnData<T> data, int rows, Func<T, double> number, Func<T, string> text)
        : Stored<T>(file, field, data, rows) where T : struct
    {
        public override double Number(int index) => number(Value(index));

        public override string Text(int index) => text(Value(index));
    }
}
