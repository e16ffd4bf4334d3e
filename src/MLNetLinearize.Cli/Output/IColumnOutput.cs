namespace MLNetLinearize.Cli.Output;

/// <summary>Writes explanations in one format. What it writes appears under its name only when it is complete.</summary>
internal interface IColumnOutput : IRowSink, IDisposable
{
    /// <summary>The path as the user gave it.</summary>
    public string Path { get; }

    /// <summary>What it holds, for people, such as <c>150 rows, 71 columns</c>.</summary>
    public string Contents { get; }

    /// <summary>Writes what is still held back.</summary>
    public void Finish();

    /// <summary>Gives the output its name.</summary>
    public void Publish();
}
