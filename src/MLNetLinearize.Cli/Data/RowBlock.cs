namespace MLNetLinearize.Cli.Data;

/// <summary>A number of consecutive rows, scaled and in the network's element type. Reused from block to block.</summary>
internal sealed class RowBlock
{
    private readonly Action<double[], int> store;
    private readonly double[] row;

    public RowBlock(GraphInput input, int capacity)
    {
        (Capacity, row, Labels) = (capacity, new double[input.RowLength], new int?[capacity]);
        var length = checked(capacity * input.RowLength);
        Singles = new float[length];
        if (input.ElementType == typeof(float))
        {
            (Values, store) = (Singles, static (_, _) => { });
        }
        else if (input.ElementType == typeof(double))
        {
            var doubles = new double[length];
            (Values, store) = (doubles, (r, at) => r.CopyTo(doubles, at));
        }
        else
        {
            throw new InputException($"The network's input '{input.Name}' takes {input.ElementType.Name} values; the command line feeds Single and Double. Use the library for others.");
        }
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
    public bool Fill(IRows rows, Scale scale, ClassNames classes, int outputs, long limit)
    {
        (FirstRow, Count) = (FirstRow + Count, 0);
        while (Count < Capacity && Count < limit && rows.Read(row, out var label))
        {
            for (var i = 0; i < row.Length; i++)
            {
                row[i] = scale.Apply(row[i]);
                Singles[Count * row.Length + i] = (float)row[i];
            }
            store(row, Count * row.Length);
            Labels[Count] = label is null ? null : Output(label, rows, FirstRow + Count, classes, outputs);
            Count++;
        }
        return Count > 0;
    }

    private static int Output(string label, IRows rows, long row, ClassNames classes, int outputs)
    {
        var output = classes.Find(label)
            ?? throw new InputException($"{rows.Where(row)}: label '{label}' is neither a class name nor a number. Expected 0 to {outputs - 1}{(classes.NamesOrNull is { } n ? $" or one of {string.Join(", ", n.Take(12))}" : ", or names with --class-names")}.");
        return output < outputs ? output : throw new InputException($"{rows.Where(row)}: label {label} is beyond the network's {outputs} outputs, 0 to {outputs - 1}.");
    }
}
