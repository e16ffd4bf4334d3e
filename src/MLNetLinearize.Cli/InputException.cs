namespace MLNetLinearize.Cli;

/// <summary>What the user gave cannot be used. The message says what, where (file, row, column), what was expected, and what to do, in one line.</summary>
internal sealed class InputException(string message) : Exception(Printable.Text(message));
