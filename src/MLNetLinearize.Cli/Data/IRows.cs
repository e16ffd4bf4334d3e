namespace MLNetLinearize.Cli.Data;

/// <summary>Rows of a data file, read once from first to last; nothing is kept of a row that was read.</summary>
internal interface IRows : IDisposable
{
    /// <summary>The file as people know it.</summary>
    public string Name { get; }

    /// <summary>Number of rows, where the format says so up front.</summary>
    public long? Count { get; }

    /// <summary>Share of the data that was read, from 0 to 1; NaN where nothing tells how much there is.</summary>
    public double Progress { get; }

    /// <summary>Names of the row's elements, where the format has them.</summary>
    public IReadOnlyList<string>? FeatureNames { get; }

    /// <summary>Whether rows come with labels.</summary>
    public bool HasLabels { get; }

    /// <summary>Reads the next row into <paramref name="row"/>. False at the end. Values may be NaN, where they are missing, or infinite, where the format allows it.</summary>
    /// <exception cref="InputException">The data is corrupt, or its row does not fit.</exception>
    public bool Read(Span<double> row, out string? label);

    /// <summary>The texts of the row that was read last, where columns of texts were asked for.</summary>
    public IReadOnlyList<string> Texts => [];

    /// <summary>What is worth telling of how the data was read; null where nothing is.</summary>
    public string? Note => null;

    /// <summary>Passes over the next rows without looking at their values. Gives their number: fewer than asked for at the end.</summary>
    public long Skip(long rows);

    /// <summary>Names a row, counted from 0, in the way the file counts: for messages.</summary>
    public string Where(long row);
}
