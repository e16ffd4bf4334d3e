using System.Numerics;
using MLNetLinearize.Cli.Output;
using MLNetLinearize.Reporting;

namespace MLNetLinearize.Cli.Data;

/// <summary>A number of consecutive rows, preprocessed and in the network's element type. Reused from block to block.</summary>
internal sealed class RowBlock
{
    private readonly GraphInput input;
    private readonly Action<double[]> prepare;
    private readonly Func<double[], int, int> store;
    private readonly double[] row;

    /// <param name="input">The input that the rows feed.</param>
    /// <param name="capacity">Most rows.</param>
    /// <param name="preprocessing">What becomes of the values first.</param>
    /// <param name="firstRow">Number of the first row in the data.</param>
    public RowBlock(GraphInput input, int capacity, InputPreprocessing preprocessing, long firstRow = 0)
    {
        (this.input, prepare, FirstRow) = (input, preprocessing.For(input), firstRow);
        (Capacity, row, Labels) = (capacity, new double[input.RowLength], new int?[capacity]);
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

    /// <summary>Number of the block's first row in the data.</summary>
    public long FirstRow { get; private set; }

    /// <summary>The rows, one after the other, in the element type of the input.</summary>
    public Array Values { get; }

    /// <summary>The same rows as <see cref="float"/>: for pictures.</summary>
    public float[] Singles { get; }

    /// <summary>True outputs of the rows; null where not known.</summary>
    public int?[] Labels { get; }

    public ReadOnlySpan<float> Row(int i) => Singles.AsSpan(i * row.Length, row.Length);

    /// <summary>Fills the block with the next rows, at most <paramref name="limit"/>. False when there are none.</summary>
    public bool Fill(IRows rows, ClassNames classes, int outputs, long limit)
    {
        (FirstRow, Count) = (FirstRow + Count, 0);
        while (Count < Capacity && Count < limit && rows.Read(row, out var label))
        {
            if (Array.FindIndex(row, v => !double.IsFinite(v)) is >= 0 and var at) throw Wrong(rows, at, "a finite number");
            prepare(row);
            for (var i = 0; i < row.Length; i++) Singles[Count * row.Length + i] = (float)row[i];
            if (store(row, Count * row.Length) is >= 0 and var bad) throw Wrong(rows, bad, $"a whole number that {input.ElementType.Name} holds, as the input '{input.Name}' takes");
            Labels[Count] = label is null ? null : Output(label, rows, FirstRow + Count, classes, outputs);
            Count++;
        }
        return Count > 0;
    }

    private InputException Wrong(IRows rows, int element, string expected)
    {
        var place = rows.FeatureNames is { } names ? $"column '{names[element]}'" : $"value {FeatureNames.Positions(input)[element]}";
        return new($"{rows.Where(FirstRow + Count)}, {place}: expected {expected}, but got {Words.Plain(row[element])}.");
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
            ?? throw new InputException($"{rows.Where(row)}: label '{label}' is neither a class name nor a number. Expected 0 to {outputs - 1}{(classes.NamesOrNull is { } n ? $" or one of {string.Join(", ", n.Take(12))}" : ", or names with --class-names")}.");
        return output < outputs ? output : throw new InputException($"{rows.Where(row)}: label {label} is beyond the network's {Words.Number(outputs, "output")}, 0 to {outputs - 1}. Labels number the outputs of a classifier; of another network leave them out (a column of them: --ignore-column).");
    }
}
