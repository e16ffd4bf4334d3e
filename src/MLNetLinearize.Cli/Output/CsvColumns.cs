using CsvHelper;
using MLNetLinearize.Cli.Data;

namespace MLNetLinearize.Cli.Output;

/// <summary>
/// The explanation columns as CSV, one line for each row of the data. A vector column becomes one CSV column a slot, named
/// <c>Column.slot</c>; with several targets the slot is <c>class|feature</c> or <c>#rank|feature</c>, as in the library.
/// </summary>
internal sealed class ColumnsCsv : IRowSink, IDisposable
{
    private readonly OutputFile file;
    private readonly CsvWriter writer;
    private readonly ColumnSet columns;
    private readonly ClassNames classes;
    private readonly bool classified;

    public ColumnsCsv(OutputFile file, ColumnSet columns, IReadOnlyList<string> features, ClassNames classes, LinearizationGraph graph, bool labelled)
    {
        classified = graph.OutputCount > 1;
        (this.file, this.classes) = (file, classes);
        this.columns = columns & ~(labelled ? ColumnSet.None : ColumnSet.Label) & ~(classified ? ColumnSet.None : ColumnSet.Predicted);
        CsvWriter? made = null;
        file.Write(stream => made = CsvWriter.Create(stream, CsvWriterOptions.Default, leaveOpen: true));
        writer = made!;
        file.Write(_ => WriteHeader(features, Targets(graph, classes)));
    }

    public long Rows { get; private set; }

    public int ColumnCount { get; private set; }

    public void Add(ExplainedBlock block) => file.Write(_ => WriteRows(block));

    /// <summary>Writes what is still held back. The file is not yet given its name.</summary>
    public void Complete() => file.Write(_ => writer.Dispose());

    public void Dispose()
    {
        try
        {
            writer.Dispose();
        }
        catch (IOException)
        {
            // Only where the run failed: the rows held back are thrown away with the file, and the failure was told.
        }
    }

    private void WriteRows(ExplainedBlock block)
    {
        for (var i = 0; i < block.Count; i++, Rows++)
        {
            writer.WriteField(block.RowNumber(i));
            if (Has(ColumnSet.Label)) writer.WriteField(block.Label(i) is { } label ? classes[label] : "");
            if (Has(ColumnSet.Predicted)) writer.WriteField(block.Predicted(i) is { } predicted ? classes[predicted] : "");
            for (var k = 0; k < block.Targets && Has(ColumnSet.Target); k++) writer.WriteField(classes[block.Target(i, k)]);
            for (var k = 0; k < block.Targets && Has(ColumnSet.Score); k++) writer.WriteField(block.Score(i, k));
            for (var k = 0; k < block.Targets && Has(ColumnSet.Bias); k++) writer.WriteField(block.Bias(i, k));
            for (var k = 0; k < block.Targets && Has(ColumnSet.Error); k++) writer.WriteField(block.Error(i, k));
            for (var k = 0; k < block.Targets && Has(ColumnSet.Attribution); k++) WriteAll(block.Attribution(i, k));
            for (var k = 0; k < block.Targets && Has(ColumnSet.Weights); k++) WriteAll(block.Weights(i, k));
            writer.EndRecord();
        }
    }

    private void WriteHeader(IReadOnlyList<string> features, IReadOnlyList<string> targets)
    {
        var names = new List<string> { "Row" };
        if (Has(ColumnSet.Label)) names.Add("Label");
        if (Has(ColumnSet.Predicted)) names.Add("Predicted");
        if (Has(ColumnSet.Target)) Each(OutputNames.ExplainedTarget);
        if (Has(ColumnSet.Score)) Each(OutputNames.ExplainedScore);
        if (Has(ColumnSet.Bias)) Each(OutputNames.Bias);
        if (Has(ColumnSet.Error)) Each(OutputNames.LinearizationError);
        if (Has(ColumnSet.Attribution)) EachFeature(OutputNames.Attribution);
        if (Has(ColumnSet.Weights)) EachFeature(OutputNames.Weights);
        ColumnCount = names.Count;
        writer.WriteRecord(names.ToArray());

        void Each(string column) => names.AddRange(targets.Select(t => targets.Count == 1 ? column : $"{column}.{t}"));
        void EachFeature(string column) => names.AddRange(targets.SelectMany(t => features.Select(f => targets.Count == 1 ? $"{column}.{f}" : $"{column}.{t}|{f}")));
    }

    private void WriteAll(ReadOnlySpan<float> values)
    {
        foreach (var value in values) writer.WriteField(value);
    }

    private bool Has(ColumnSet column) => (columns & column) != 0;

    /// <summary>Names of the K targets: classes where they are the same for every row, else ranks.</summary>
    private static IReadOnlyList<string> Targets(LinearizationGraph graph, ClassNames classes) => graph.Options.Targets.Kind switch
    {
        TargetKind.All => [.. Enumerable.Range(0, graph.TargetCount).Select(k => classes[k])],
        TargetKind.Classes => [.. graph.Options.Targets.Indices.Select(k => classes[k])],
        _ => [.. Enumerable.Range(1, graph.TargetCount).Select(k => $"#{k}")],
    };
}
