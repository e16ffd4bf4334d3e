using System.Numerics;
using MLNetLinearize.Cli.Output;
using MLNetLinearize.Reporting;

namespace MLNetLinearize.Cli.Data;

/// <summary>A number of consecutive rows, preprocessed and in the network's element type. Reused from block to block.</summary>
internal sealed class RowBlock
{
    private readonly GraphInput input;
    private readonly Action<double[]> prepare;
    private readonly MissingValues missing;
    private readonly Func<double[], int, int> store;
    private readonly double[] row;
    private readonly long[] numbers;

    /// <param name="input">The input that the rows feed.</param>
    /// <param name="capacity">Most rows.</param>
    /// <param name="prepare">What becomes of a row's values first, in place.</param>
    /// <param name="missing">What becomes of values that are not there.</param>
    /// <param name="texts">Number of texts in a row.</param>
    /// <param name="firstRow">Number of the first row in the data.</param>
    public RowBlock(GraphInput input, int capacity, Action<double[]> prepare, MissingValues missing, int texts = 0, long firstRow = 0)
    {
        (this.input, this.prepare, this.missing, FirstRow) = (input, prepare, missing, firstRow);
        (Capacity, row, Labels, numbers, Texts) = (capacity, new double[input.RowLength], new int?[capacity], new long[capacity], new string[capacity * texts]);
        var length = checked(capacity * input.RowLength);
        Singles = new float[length];
        (Values, store) = Type.GetTypeCode(input.ElementType) switch
        {
            TypeCode.Single => (Singles, static (_, _) => -1),
            TypeCode.Int64 => Whole(new long[length]),
            TypeCode.Int32 => Whole(new int[length]),
            TypeCode.Int16 => Whole(new short[length]),
            TypeCode.SByte => Whole(new sbyte[length]),
            TypeCode.UInt64 => Whole(new ulong[length]),
            TypeCode.UInt32 => Whole(new uint[length]),
            TypeCode.UInt16 => Whole(new ushort[length]),
            TypeCode.Byte => Whole(new byte[length]),
            _ => throw new InputException($"The network's input '{input.Name}' takes {input.ElementType.Name} values; the command line feeds numbers. Use the library for others."),
        };
    }

    public int Capacity { get; }

    public int Count { get; private set; }

    /// <summary>Number of the first of the data's rows that the block was filled from.</summary>
    public long FirstRow { get; private set; }

    /// <summary>How many of the data's rows it was filled from; more than <see cref="Count"/> where some were left out.</summary>
    public int Taken { get; private set; }

    /// <summary>The texts of all rows, those of a row together.</summary>
    public string[] Texts { get; }

    /// <summary>The rows, one after the other, in the element type of the input.</summary>
    public Array Values { get; }

    /// <summary>The same rows as <see cref="float"/>: for pictures.</summary>
    public float[] Singles { get; }

    /// <summary>True outputs of the rows; null where not known.</summary>
    public int?[] Labels { get; }

    /// <summary>A row's number in the data.</summary>
    public long Number(int i) => numbers[i];

    public ReadOnlySpan<float> Row(int i) => Singles.AsSpan(i * row.Length, row.Length);

    /// <summary>Fills the block with the next rows, from at most <paramref name="limit"/> of the data's. False when there are none.</summary>
    public bool Fill(IRows rows, ClassNames classes, int outputs, long limit)
    {
        (FirstRow, Count, Taken) = (FirstRow + Taken, 0, 0);
        while (Count < Capacity && Taken < Math.Min(limit, int.MaxValue) && rows.Read(row, out var label))
        {
            Taken++;
            if (!missing.Keep(row, at => Wrong(rows, at, "a number, but there is none; --missing says what becomes of such values"))) continue;
            if (Array.FindIndex(row, double.IsInfinity) is >= 0 and var infinite) throw Wrong(rows, infinite, $"a finite number, but got {Words.Plain(row[infinite])}");
            prepare(row);
            for (var i = 0; i < row.Length; i++) Singles[Count * row.Length + i] = (float)row[i];
            if (store(row, Count * row.Length) is >= 0 and var bad) throw Wrong(rows, bad, $"a whole number that {input.ElementType.Name} holds, as the input '{input.Name}' takes, but got {Words.Plain(row[bad])}");
            for (var i = 0; i < rows.Texts.Count; i++) Texts[Count * rows.Texts.Count + i] = rows.Texts[i];
            Labels[Count] = label is null ? null : Output(label, rows, FirstRow + Taken - 1, classes, outputs);
            numbers[Count++] = FirstRow + Taken - 1;
        }
        return Taken > 0;
    }

    private InputException Wrong(IRows rows, int element, string expected)
    {
        var place = rows.FeatureNames is { } names ? $"column '{Names.Short(names[element])}'" : $"value {FeatureNames.Positions(input)[element]}";
        return new($"{rows.Where(FirstRow + Taken - 1)}, {place}: expected {expected}.");
    }

    /// <summary>Stores rows as whole numbers; gives the first element that is none, or −1.</summary>
    private static (Array, Func<double[], int, int>) Whole<T>(T[] values) where T : struct, IBinaryInteger<T>, IMinMaxValue<T>
    {
        return (values, Store);

        int Store(double[] row, int at)
        {
            for (var i = 0; i < row.Length; i++)
            {
                values[at + i] = T.CreateSaturating(row[i]);
                if (double.CreateSaturating(values[at + i]) != row[i]) return i;
            }
            return -1;
        }
    }

    private static int Output(string label, IRows rows, long row, ClassNames classes, int outputs)
    {
        var output = classes.Find(label)
            ?? throw new InputException($"{rows.Where(row)}: label '{Names.Short(label)}' is neither a class name nor a number. Expected 0 to {outputs - 1}{(classes.NamesOrNull is { } n ? $" or one of {string.Join(", ", n.Take(12).Select(Names.Short))}" : ", or names with --class-names")}.");
        return output < outputs ? output : throw new InputException($"{rows.Where(row)}: label {Names.Short(label)} is beyond the network's {Words.Number(outputs, "output")}, 0 to {outputs - 1}. Labels number the outputs of a classifier; of another network leave them out (a column of them: --ignore-column).");
    }
}
