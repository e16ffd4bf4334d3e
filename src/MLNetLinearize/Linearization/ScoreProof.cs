using System.Globalization;
using Microsoft.ML.OnnxRuntime;
using MLNetLinearize.Onnx;
using MLNetLinearize.Runtime;

namespace MLNetLinearize.Linearization;

/// <summary>
/// Proves that what is explained is what the model says: the compiled graph's score is that of the model itself, by ONNX Runtime, on made-up
/// rows. What adds up exactly would prove nothing about a graph that computed another network.
/// </summary>
internal sealed class ScoreProof(Request request) : IDisposable
{
    /// <summary>Largest difference, relative to the row's largest score, that is the rounding of float32.</summary>
    private const double Tolerance = 1e-4;

    /// <summary>The same on a device, which may multiply with fewer digits.</summary>
    private const double ToleranceOfDevices = 5e-3;

    /// <summary>How far a network whose scores jump or grow may be from itself: as far as it moves where its inputs move by their last digits.</summary>
    private const double Movements = 8;

    private const int Moved = 3;

    private readonly Lazy<ReferenceModel> reference = new(() => ReferenceModel.Open(request));
    private readonly List<string> notes = [];
    private readonly Lazy<ReferenceModel> single = new(() => ReferenceModel.Open(request, inSingle: true));

    /// <summary>The graph, with what is worth telling of the comparison.</summary>
    public LinearizationGraph Told(LinearizationGraph graph) => notes.Count == 0 ? graph : graph.With(graph.Report with { Notes = [.. graph.Report.Notes, .. notes] });

    /// <exception cref="UnsupportedOperatorException">The graph's scores are not the model's own; it names the node that is the first to differ.</exception>
    public void Check(LinearizationGraph graph)
    {
        if (Objection(graph) is not { } wrong) return;
        var node = FirstDifferent(graph);
        throw new UnsupportedOperatorException([node.Unsupported(request.Opset, (
            $"what the library makes of it is not what ONNX Runtime makes of it: {wrong}",
            "report the model, this is a defect of the library; until it is mended, explain by a tensor behind that node (ExplainedInputs)"))]);
    }

    /// <summary>How the graph's scores differ on made-up rows; null where they do not.</summary>
    public string? Objection(LinearizationGraph graph)
    {
        using var forward = new ForwardRun(graph, [OutputNames.Score, .. Prepared(graph)]);
        return SampleRows.Use(graph, BatchProof.Rows, 1, rows => Enumerable.Range(0, BatchProof.Rows).Select(r => Objection(graph, forward, SampleRows.Row(graph, rows, r))).FirstOrDefault(o => o is not null));
    }

    private string? Objection(LinearizationGraph graph, ForwardRun forward, Dictionary<string, Array> row)
    {
        var made = Ran(() => forward.Run(row));
        foreach (var (name, value) in made.Skip(1)) row[name[GraphNames.NetworkPrefix.Length..]] = value;
        return Compared(graph, row, made[0].Value);
    }

    /// <summary>The model's inputs that the graph makes of raw columns, by their names in the graph.</summary>
    private IEnumerable<string> Prepared(LinearizationGraph graph) =>
        request.Raw is null ? [] : reference.Value.Inputs.Select(i => i.Name).Where(i => graph.Inputs.All(g => g.Name != i)).Select(i => GraphNames.NetworkPrefix + i);

    /// <summary>The first of the file's nodes of which the graph makes something else.</summary>
    private NodeProto FirstDifferent(LinearizationGraph graph)
    {
        var nodes = reference.Value.Graph.Nodes;
        var made = graph.Model.Graph.Node.SelectMany(n => n.Output).ToHashSet();
        string[] both = [.. nodes.SelectMany(n => n.Output).Where(o => made.Contains(GraphNames.NetworkPrefix + o))];
        using var forward = new ForwardRun(graph, [.. Prepared(graph), .. both.Select(b => GraphNames.NetworkPrefix + b)]);
        return SampleRows.Use(graph, 1, 1, rows => FirstDifferent(forward, both, SampleRows.Row(graph, rows, 0), [.. Prepared(graph)]));
    }

    private NodeProto FirstDifferent(ForwardRun forward, string[] both, Dictionary<string, Array> row, string[] prepared)
    {
        var nodes = reference.Value.Graph.Nodes;
        var own = forward.Run(row).ToDictionary(m => m.Name[GraphNames.NetworkPrefix.Length..], m => m.Value);
        foreach (var name in prepared.Select(p => p[GraphNames.NetworkPrefix.Length..])) row[name] = own[name];
        foreach (var (name, values) in reference.Value.Tensors(row, both))
        {
            double[] ours = [.. own[name].Select(v => (double)v)];
            var scale = values.Where(double.IsFinite).Select(Math.Abs).DefaultIfEmpty().Max();
            if (ours.Length != values.Length || Largest(values, ours) is { } worst && worst.Difference > Tolerance * scale) return nodes.First(n => n.Output.Contains(name));
        }
        return nodes.First(n => n.Output.Contains(reference.Value.Output));
    }

    /// <summary>Compares the score of one row, where its inputs are the model's own.</summary>
    public string? Objection(LinearizationGraph graph, IReadOnlyDictionary<string, Array> row, ReadOnlySpan<float> score) => request.Raw is null ? Compared(graph, row, score) : null;

    /// <summary>Compares the score of one row.</summary>
    /// <param name="graph">The compiled graph.</param>
    /// <param name="row">The row: the model's own inputs.</param>
    /// <param name="score">The graph's score of it.</param>
    /// <returns>How it differs; null where it does not.</returns>
    /// <exception cref="InvalidModelException">ONNX Runtime refuses the model.</exception>
    private string? Compared(LinearizationGraph graph, IReadOnlyDictionary<string, Array> row, ReadOnlySpan<float> score)
    {
        if (reference.Value.WhyRespelled is { } why) Note($"Its scores are compared with those of the model in the library's spelling: {why}.");
        var own = Run(reference.Value, row);
        var shown = reference.Value.Shown(score);
        if (own.Length != shown.Length) return $"it has {shown.Length} scores a row, and the model itself {own.Length}";
        if (Largest(own, shown) is not { } worst || IsRounding(worst.Difference, reference.Value, row, own)) return null;
        if (reference.Value.IsDouble)
        {
            var rounded = Run(single.Value, row);
            if (Largest(rounded, shown) is not { } less || IsRounding(less.Difference, single.Value, row, rounded))
            {
                Note($"The model computes in double precision; in float32, in which it is explained, its scores are up to {Number(worst.Difference)} off on made-up rows.");
                return null;
            }
        }
        using var steps = QuantizedSteps.Of(reference.Value, graph);
        if (steps?.Explain(row, score) is { } flipped)
        {
            Note($"{flipped.Count:N0} of {flipped.All:N0} quantized numbers lie within rounding of a step's edge on a made-up row, and are a step off the model's own; its scores are up to {Number(worst.Difference)} off for that.");
            return null;
        }
        return $"output {worst.Index} is {Number(shown[worst.Index])} on a made-up row, and {Number(own[worst.Index])} by the model itself";
    }

    public void Dispose()
    {
        foreach (var one in new[] { reference, single })
            if (one.IsValueCreated) one.Value.Dispose();
    }

    private void Note(string note)
    {
        if (notes.Count == 0) notes.Add(note);
    }

    private bool IsRounding(double difference, ReferenceModel model, IReadOnlyDictionary<string, Array> row, double[] own)
    {
        var scale = own.Where(double.IsFinite).Select(Math.Abs).DefaultIfEmpty().Max();
        var tolerance = (request.Options.GpuDeviceId is null ? Tolerance : ToleranceOfDevices) * scale;
        return difference <= tolerance
            || difference <= tolerance + Movements * Enumerable.Range(0, Moved).Max(seed => Largest(own, Run(model, Nudged(row, seed)))?.Difference ?? 0);
    }

    /// <summary>A row whose numbers are a few units in the last place off.</summary>
    private static Dictionary<string, Array> Nudged(IReadOnlyDictionary<string, Array> row, int seed)
    {
        var random = new Random(seed);
        return row.ToDictionary(r => r.Key, r => r.Value is float[] values ? values.Select(v => v * (1 + (random.Next(2) == 0 ? -1 : 1) * 4.8e-7f)).ToArray() : r.Value);
    }

    private static double[] Run(ReferenceModel model, IReadOnlyDictionary<string, Array> row) => Ran(() => model.Score(row));

    private static T Ran<T>(Func<T> run)
    {
        try
        {
            return run();
        }
        catch (OnnxRuntimeException e)
        {
            throw new InvalidModelException($"ONNX Runtime does not run the model itself on a made-up row: {Sessions.Told(e)} Check the input shapes (InputShapes), and the file with onnx.checker.", e);
        }
    }

    /// <summary>The largest difference, and its place; null where both are the same. What is no number in both is the same.</summary>
    private static (double Difference, int Index)? Largest(double[] own, double[] other)
    {
        (double Difference, int Index)? largest = null;
        for (var i = 0; i < own.Length; i++)
        {
            // ONNX Runtime writes −∞ as the lowest number in places, as in the masks of its Attention.
            if (own[i].Equals(other[i]) || own[i] == other[i] || Math.Abs(own[i]) >= float.MaxValue && Math.Abs(other[i]) >= float.MaxValue && Math.Sign(own[i]) == Math.Sign(other[i])) continue;
            var difference = Math.Abs(own[i] - other[i]);
            if (double.IsNaN(difference)) return (double.PositiveInfinity, i);
            if (largest is null || difference > largest.Value.Difference) largest = (difference, i);
        }
        return largest;
    }

    private static string Number(double value) => value.ToString("G6", CultureInfo.InvariantCulture);
}
