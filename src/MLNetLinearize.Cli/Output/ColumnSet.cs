namespace MLNetLinearize.Cli.Output;

/// <summary>Which columns are written.</summary>
[Flags]
internal enum ColumnSet
{
    None = 0,
    Label = 1,
    Predicted = 2,
    Target = 4,
    Score = 8,
    Bias = 16,
    Error = 32,
    Attribution = 64,
    Weights = 128,
    Default = Label | Predicted | Target | Score | Bias | Error | Attribution,
}
