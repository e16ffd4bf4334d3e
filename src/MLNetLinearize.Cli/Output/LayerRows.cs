using MLNetLinearize.Cli.Data;
using Spectre.Console;

namespace MLNetLinearize.Cli.Output;

/// <summary>Keeps the few rows that are to be explained by every layer as they stream by, and tells of them at the end.</summary>
internal sealed class LayerRows(LinearizationGraph graph, IReadOnlySet<long>? chosen, ClassNames classes, Func<LayerLinearizer> compile) : IRowSink
{
    private readonly List<Example> rows = [];
    private bool hasMistake;
    private IReadOnlyList<(Example Row, LayerExplanation Layers)>? explained;

    public void Add(ExplainedBlock block)
    {
        for (var i = 0; i < block.Count; i++)
        {
            var mistake = block.Label(i) is { } label && label != block.Predicted(i);
            if (chosen is null ? rows.Count > 0 && (hasMistake || !mistake) : !chosen.Contains(block.RowNumber(i))) continue;
            hasMistake |= mistake;
            rows.Add(new(block.RowNumber(i), block.Input(i).ToArray(), block.Label(i), block.Predicted(i)));
        }
    }

    /// <summary>Explains the rows. A row that the data does not have is an error.</summary>
    public void Explain()
    {
        if (chosen?.Except(rows.Select(r => r.Number)).Order().ToList() is { Count: > 0 } missing) throw new InputException($"--layer-rows names row {missing[0]}, which was not among the rows explained. Rows count from 0; --rows says how many are read.");
        using var linearizer = compile();
        explained = [.. rows.Select(r => (r, linearizer.Run(Inputs(r), 1)[0]))];
    }

    public void Write(IAnsiConsole console)
    {
        foreach (var (row, layers) in explained!)
            for (var k = 0; k < layers.ExplainedScores.Count; k++) Write(console, row, layers, k);
    }

    /// <summary>Draws the rows, layer by layer.</summary>
    public void SavePng(Stream stream, string modelFile)
    {
        var image = ImageShape.Of(Explainer.DataInput(graph).RowShape);
        LayerSheet.SavePng(stream, $"How contributions move through {Path.GetFileNameWithoutExtension(modelFile)}",
            [.. explained!.SelectMany(e => Enumerable.Range(0, e.Layers.ExplainedScores.Count).Select(k => new LayerRow(Title(e.Row, e.Layers, k), image is null ? null : (e.Row.Input, image), LayerPanel.Stages(e.Layers, k), e.Layers.ExplainedScores[k])))]);
    }

    private void Write(IAnsiConsole console, Example row, LayerExplanation layers, int k)
    {
        console.WriteLine(Title(row, layers, k));
        var table = new Table().Border(TableBorder.Simple);
        foreach (var name in new[] { "layer", "made by", "shape" }) table.AddColumn(new TableColumn(name) { NoWrap = true });
        foreach (var name in new[] { "Σ attribution", "bias behind it", "sum", "error" }) table.AddColumn(new TableColumn(name) { NoWrap = true }.RightAligned());
        foreach (var layer in layers.Layers)
            table.AddRow(Markup.Escape(layer.Layer.Tensor), Markup.Escape(layer.Layer.Operator), Markup.Escape(Words.Shape(layer.Layer.RowShape)), Words.Value(layer.Sum[k]), Words.Value(layer.Bias[k]), Words.Value(layer.Sum[k] + layer.Bias[k]), Words.Error(layer.Error[k]));
        console.Write(table);
    }

    private string Title(Example row, LayerExplanation layers, int k)
    {
        var label = row.Label is { } truth ? $", label {classes[truth]}" : "";
        var predicted = row.Predicted is { } best && graph.OutputCount > 1 ? $", predicted {classes[best]}{(row.Label is { } l && l != best ? " (wrong)" : "")}" : "";
        return $"row {Words.Count(row.Number)}{label}{predicted}: score of {classes[layers.Targets[k]]} {Words.Value(layers.ExplainedScores[k])}";
    }

    private Dictionary<string, Array> Inputs(Example row)
    {
        var input = Explainer.DataInput(graph);
        var inputs = new Dictionary<string, Array> { [input.Name] = input.ElementType == typeof(double) ? Array.ConvertAll(row.Input, v => (double)v) : row.Input };
        if (graph.Inputs.Any(i => i.Name == OutputNames.Label)) inputs[OutputNames.Label] = new long[] { row.Label ?? -1 };
        return inputs;
    }

    private sealed record Example(long Number, float[] Input, int? Label, int? Predicted);
}
