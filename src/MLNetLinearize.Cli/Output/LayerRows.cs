using System.Text.Json.Nodes;
using MLNetLinearize.Cli.Data;
using Spectre.Console;

namespace MLNetLinearize.Cli.Output;

/// <summary>Keeps the few rows that are to be explained by every layer as they stream by, and tells of them at the end.</summary>
/// <param name="graph">The compiled graph.</param>
/// <param name="chosen">Numbers of the rows; the first row and the first mistake when null.</param>
/// <param name="classes">Names of the outputs.</param>
/// <param name="image">The image that a row is, or null.</param>
/// <param name="compile">Compiles the network to be explained by every layer.</param>
internal sealed class LayerRows(LinearizationGraph graph, IReadOnlySet<long>? chosen, ClassNames classes, ImageShape? image, Func<LayerLinearizer> compile) : IRowSink
{
    private readonly List<Example> rows = [];
    private bool hasMistake;
    private IReadOnlyList<(Example Row, LayerExplanation Layers)>? explained;

    public void Add(ExplainedBlock block)
    {
        for (var i = 0; i < block.Count; i++)
        {
            var mistake = block.Truth(i) is { } label && label != block.Predicted(i);
            if (chosen is null ? rows.Count > 0 && (hasMistake || !mistake) : !chosen.Contains(block.RowNumber(i))) continue;
            hasMistake |= mistake;
            rows.Add(new(block.RowNumber(i), block.Input(i).ToArray(), block.Truth(i), block.Predicted(i)));
        }
    }

    /// <summary>Explains the rows. A row that the data does not have is an error.</summary>
    /// <param name="mine">The rows that this run answers for: others are another part's.</param>
    public void Explain(RowRange mine)
    {
        if (chosen?.Except(rows.Select(r => r.Number)).Where(mine.Holds).Order().ToList() is { Count: > 0 } missing) throw new InputException($"--layer-rows names row {missing[0]}, which was not among the rows explained. Rows count from 0; --rows says how many are read.");
        using var linearizer = compile();
        explained = [.. rows.Select(r => (r, linearizer.Run(Inputs(r), 1)[0]))];
    }

    public void Write(IAnsiConsole console)
    {
        foreach (var (row, layers) in explained!)
            for (var k = 0; k < layers.ExplainedScores.Count; k++) Write(console, row, layers, k);
    }

    /// <summary>For files: one line for each row, target and layer.</summary>
    public IEnumerable<LayerLine> Lines() =>
        from e in explained!
        from k in Enumerable.Range(0, e.Layers.ExplainedScores.Count)
        from l in e.Layers.Layers.Index()
        select new LayerLine(e.Row.Number, e.Row.Label, graph.OutputCount > 1 ? e.Row.Predicted : null, e.Layers.Targets[k] < 0 ? null : e.Layers.Targets[k],
            l.Index, l.Item.Layer.Tensor, l.Item.Layer.Operator, l.Item.Sum[k], l.Item.Bias[k], e.Layers.ExplainedScores[k], l.Item.Error[k]);

    /// <summary>For programs: of each row, each layer's sums for each target.</summary>
    public JsonArray ToJson() => new([.. explained!.Select(e => (JsonNode)new JsonObject
    {
        ["row"] = e.Row.Number,
        ["label"] = e.Row.Label,
        ["predicted"] = e.Row.Predicted,
        ["targets"] = new JsonArray([.. e.Layers.Targets.Select(t => (JsonNode)t)]),
        ["scores"] = Numbers(e.Layers.ExplainedScores),
        ["layers"] = new JsonArray([.. e.Layers.Layers.Select(l => (JsonNode)new JsonObject { ["tensor"] = l.Layer.Tensor, ["operator"] = l.Layer.Operator, ["rowShape"] = new JsonArray([.. l.Layer.RowShape.Select(d => (JsonNode)d)]), ["attribution"] = Numbers(l.Sum), ["bias"] = Numbers(l.Bias), ["error"] = Numbers(l.Error) })]),
    })]);

    /// <summary>Draws the rows, layer by layer.</summary>
    public void SavePng(Stream stream, string modelFile)
    {
        var input = Explainer.DataInput(graph);
        LayerSheet.SavePng(stream, $"How contributions move through {Path.GetFileNameWithoutExtension(modelFile)}",
            [.. explained!.SelectMany(e => Enumerable.Range(0, e.Layers.ExplainedScores.Count).Select(k => new LayerRow(
                Title(e.Row, e.Layers, k), image is null ? null : (e.Row.Input, image), Panels(e.Layers, k, input), e.Layers.ExplainedScores[k])))]);
    }

    /// <summary>The stages; an image's contributions are a map, however its numbers lie.</summary>
    private IReadOnlyList<LayerPanel> Panels(LayerExplanation layers, int k, GraphInput input)
    {
        var panels = LayerPanel.Stages(layers, k);
        return image is null || layers.Layers[0].Layer.Tensor != input.Name ? panels
            : [panels[0] with { Shape = [image.Height, image.Width], Attribution = image.SumChannels(panels[0].Attribution) }, .. panels.Skip(1)];
    }

    private void Write(IAnsiConsole console, Example row, LayerExplanation layers, int k)
    {
        console.WriteLine(Title(row, layers, k));
        var table = new Table().Border(TableBorder.Simple);
        foreach (var name in new[] { "layer", "made by", "shape" }) table.AddColumn(new TableColumn(name) { NoWrap = true });
        foreach (var name in new[] { "Σ attribution", "bias behind it", "sum", "error" }) table.AddColumn(new TableColumn(name) { NoWrap = true }.RightAligned());
        foreach (var layer in layers.Layers)
            table.AddRow(Words.Markup(layer.Layer.Tensor), Words.Markup(layer.Layer.Operator), Words.Markup(Words.Shape(layer.Layer.RowShape)), Words.Value(layer.Sum[k]), Words.Value(layer.Bias[k]), Words.Value(layer.Sum[k] + layer.Bias[k]), Words.Error(layer.Error[k]));
        console.Write(table);
    }

    private string Title(Example row, LayerExplanation layers, int k)
    {
        var label = row.Label is { } truth ? $", label {classes[truth]}" : "";
        var predicted = row.Predicted is { } best && graph.OutputCount > 1 ? $", predicted {classes[best]}{(row.Label is { } l && l != best ? " (wrong)" : "")}" : "";
        return $"row {Words.Count(row.Number)}{label}{predicted}: score of {classes[layers.Targets[k]]}{Against()} {Words.Value(layers.ExplainedScores[k])}";
    }

    /// <summary>What the explained class is held against, where a difference of scores is explained.</summary>
    private string Against() => graph.Options.Targets.Kind switch
    {
        TargetKind.Contrast => $" against {classes[graph.Options.Targets.Indices[1]]}",
        TargetKind.PredictedVersusRunnerUp => " against the runner-up",
        _ => "",
    };

    /// <summary>JSON has no NaN, which a row without a label may give: null there.</summary>
    private static JsonArray Numbers(IEnumerable<float> values) => new([.. values.Select(v => float.IsFinite(v) ? JsonValue.Create(v) : null)]);

    private Dictionary<string, Array> Inputs(Example row)
    {
        var input = Explainer.DataInput(graph);
        var inputs = new Dictionary<string, Array> { [input.Name] = input.ElementType == typeof(double) ? Array.ConvertAll(row.Input, v => (double)v) : row.Input };
        if (graph.Inputs.Any(i => i.Name == OutputNames.Label)) inputs[OutputNames.Label] = new long[] { row.Label ?? -1 };
        return inputs;
    }

    private sealed record Example(long Number, float[] Input, int? Label, int? Predicted);
}
