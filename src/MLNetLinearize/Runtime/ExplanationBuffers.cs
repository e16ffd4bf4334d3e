using Microsoft.ML.OnnxRuntime;

namespace MLNetLinearize.Runtime;

/// <summary>
/// What one reader of explanations needs to run again and again: arrays that ONNX Runtime reads its inputs from and writes
/// its outputs to, without a copy, and the native values over them, made once. Not for several threads at a time, but for
/// <see cref="Cancel"/>.
/// </summary>
internal sealed class ExplanationBuffers : IDisposable
{
    private readonly ExplanationSession session;
    private readonly Array[] inputs;
    private readonly bool isPinned;
    private readonly RunOptions runOptions = new();
    private readonly Dictionary<(int Start, int Rows), (OrtValue[] Inputs, OrtValue[] Outputs)> values = [];
    private bool isDisposed;

    /// <param name="session">The session.</param>
    /// <param name="inputs">By name of the ONNX input: an array of its element type with rows · row length elements or more, row after row.</param>
    /// <param name="rows">Number of rows that the arrays hold.</param>
    /// <param name="isPinned">Whether the input arrays never move; the output arrays are made alike.</param>
    public ExplanationBuffers(ExplanationSession session, IReadOnlyDictionary<string, Array> inputs, int rows, bool isPinned)
    {
        foreach (var input in session.Graph.Inputs) Check(input, inputs, rows);
        this.session = session;
        this.inputs = [.. session.Graph.Inputs.Select(i => inputs[i.Name])];
        this.isPinned = isPinned;
        Outputs = new ExplanationBatch(session.Graph, session.Outputs, rows, isPinned);
        session.CountBuffers(1);
    }

    /// <summary>The explanations of the rows that were run last at their place.</summary>
    public ExplanationBatch Outputs { get; }

    /// <summary>
    /// Explains the rows from <paramref name="start"/> on, in runs that fit the cache (or of one row, where the graph takes no
    /// more), side by side where that is faster, so that callers see batches only.
    /// </summary>
    /// <exception cref="OnnxRuntimeException">A run failed or was cancelled.</exception>
    public void Run(int start, int rows)
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        var sideBySide = session.Kind.IsOneThread ? session.Plan.SideBySide(rows) : 1;
        var most = session.Plan.RowsOf(rows, sideBySide);
        if (sideBySide > 1) RunSideBySide(start, rows, most, sideBySide);
        else for (var row = start; row < start + rows; row += most) RunOnce(row, Math.Min(most, start + rows - row));
    }

    /// <summary>Explains the rows from <paramref name="start"/> on in one run, however many they are.</summary>
    /// <exception cref="OnnxRuntimeException">The run failed or was cancelled.</exception>
    public void RunTogether(int start, int rows)
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        RunOnce(start, rows);
    }

    /// <summary>Ends a run that is under way on another thread, with an exception there, and all later ones.</summary>
    public void Cancel() => runOptions.Terminate = true;

    public void Dispose()
    {
        if (isDisposed) return;
        isDisposed = true;
        foreach (var (i, o) in values.Values)
            foreach (var value in i.Concat(o)) value.Dispose();
        values.Clear();
        runOptions.Dispose();
        session.CountBuffers(-1);
    }

    private void RunSideBySide(int start, int rows, int most, int threads)
    {
        (int Start, int Rows)[] runs = [.. Enumerable.Range(0, (rows + most - 1) / most).Select(r => (start + r * most, Math.Min(most, rows - r * most)))];
        // Made beforehand, since making them is not for several threads at a time.
        foreach (var run in runs) Values(run.Start, run.Rows);
        SideBySide.Run(runs.Length, threads, r => RunOnce(runs[r].Start, runs[r].Rows));
    }

    private void RunOnce(int start, int rows)
    {
        var (i, o) = Values(start, rows);
        for (var n = 0; n < inputs.Length; n++)
            if (inputs[n] is string[] texts) OrtArrays.SetTexts(i[n], texts.AsSpan(start * session.Graph.Inputs[n].RowLength, rows * session.Graph.Inputs[n].RowLength));
        session.Run(runOptions, i, o);
    }

    private (OrtValue[] Inputs, OrtValue[] Outputs) Values(int start, int rows)
    {
        if (values.TryGetValue((start, rows), out var known)) return known;
        OrtValue[] i = [.. session.Graph.Inputs.Select((input, n) =>
            OrtArrays.Wrap(inputs[n], start * input.RowLength, [.. input.HasBatchAxis ? [rows] : Array.Empty<long>(), .. input.RowShape.Select(d => (long)d)], isPinned))];
        OrtValue[] o = [.. session.Outputs.Select(name =>
            OrtArrays.Wrap(Outputs.All(name), checked((int)(start * ExplanationBatch.RowLength(session.Graph, name))), [rows, .. ExplanationBatch.RowShape(session.Graph, name)], isPinned))];
        return values[(start, rows)] = (i, o);
    }

    private static void Check(GraphInput input, IReadOnlyDictionary<string, Array> inputs, int rows)
    {
        if (!inputs.TryGetValue(input.Name, out var array))
            throw new ArgumentException($"Input '{Printable.Text(input.Name)}' is missing. Expected {input.ElementType.Name}[{string.Join(", ", input.RowShape)}] a row; got the inputs [{string.Join(", ", inputs.Keys)}].", nameof(inputs));
        if (array.GetType().GetElementType() != input.ElementType || array.Length < (long)rows * input.RowLength)
            throw new ArgumentException($"Input '{Printable.Text(input.Name)}': expected {rows} rows of {input.ElementType.Name}[{string.Join(", ", input.RowShape)}], {(long)rows * input.RowLength} elements; got {array.Length} of {array.GetType().GetElementType()!.Name}.", nameof(inputs));
    }
}
