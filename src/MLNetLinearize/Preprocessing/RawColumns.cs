using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using MLNetLinearize.Canonicalization;
using MLNetLinearize.Linearization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Runtime;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Preprocessing;

/// <summary>
/// Puts an affine preprocessing in front of the network, as nodes of the same graph. What is explained then is the tensor of
/// all raw columns: W, attribution and bias come back to them by the rules that every other node has, in batches, row by row
/// and out of a saved model alike, and the error column checks the whole.
/// </summary>
internal sealed class RawColumns
{
    /// <summary>The explained tensor: the raw columns' slots, one column after the other.</summary>
    public const string Tensor = "raw columns";

    /// <summary>Stands before a raw column's name in the name of its graph input, which is no name of the model's own then.</summary>
    public const string Prefix = "raw/";

    private readonly ChainTrace trace;
    private readonly Dictionary<string, ChainTrace.Place> targets = [];
    private readonly Dictionary<ChainTrace.Place, AffineMap> maps = [];
    private readonly Dictionary<ChainTrace.Place, PixelLayout?> pixels = [];
    private readonly Dictionary<string, RawSource> sources = [];

    /// <summary>Traces the model's inputs back and probes every stage on the way.</summary>
    /// <exception cref="ArgumentException">A stage is not affine, or a column is missing.</exception>
    public RawColumns(ModelProto model, LinearizeOptions options)
    {
        trace = new ChainTrace(options.Preprocessing!);
        foreach (var input in Explained(model, options))
        {
            var place = trace.Find(Column(options, input));
            trace.Follow(place);
            targets[input] = place;
        }
        foreach (var (place, stage) in trace.Makers)
        {
            StageKinds.Check(stage);
            if (stage.Inputs is not [{ Type: ImageDataViewType }]) maps[place] = StageProbe.Map(stage);
            else (maps[place], pixels[place]) = PixelProbe.Map(stage);
        }
        foreach (var end in trace.Ends)
        {
            if (!Numbers.Are(trace.Column(end).Type)) throw new ArgumentException($"The raw column '{trace.Column(end).Name}' is of type {trace.Column(end).Type}, which has no fixed number of numbers.");
            if (!sources.TryAdd(Prefix + trace.Column(end).Name, new(trace.IsOverwritten(end), pixels.GetValueOrDefault(end))))
                throw new ArgumentException($"LinearizeOptions.{nameof(options.Preprocessing)} begins at two columns named '{trace.Column(end).Name}'. Give them different names.");
        }
    }

    /// <summary>What is known of the tensor of all raw columns, where it is one column.</summary>
    public static RawSource? OnlySource(IEnumerable<GraphInput> inputs, string tensor) =>
        tensor == Tensor && inputs.Where(i => i.Raw is not null).ToList() is [var only] ? only.Raw : null;

    public RawSource? SourceOf(string input) => sources.GetValueOrDefault(input);

    /// <summary>Holds every stage's map to what the stage itself makes of the first rows of data.</summary>
    /// <exception cref="ArgumentException">A stage gives another number than its map.</exception>
    public void Compare(IDataView data)
    {
        var comparison = new StageComparison(data);
        foreach (var level in trace.Makers.Where(m => !pixels.ContainsKey(m.Key)).GroupBy(m => m.Key.Level).OrderBy(g => g.Key))
            if (!comparison.Next([.. level.Select(m => (m.Value, maps[m.Key]))])) return;
    }

    /// <summary>Makes the raw columns the graph's inputs.</summary>
    /// <param name="graph">The network, in an operator set of 18 or later.</param>
    /// <param name="options">What was asked for.</param>
    /// <returns>The same, asked of the longer graph.</returns>
    public LinearizeOptions PutInFront(Graph graph, LinearizeOptions options)
    {
        if (graph.Fresh(Tensor) != Tensor) throw new InvalidModelException($"The model has a tensor '{Tensor}', which is what the library calls the tensor in front of it. Rename it.");
        var replaced = InputPlan.All(graph.Inputs.Where(i => targets.ContainsKey(i.Name)), options);
        graph.Inputs.RemoveAll(i => targets.ContainsKey(i.Name));
        object rows = replaced.Any(p => p.IsFixedAtOne) ? 1L : BatchAxis.Symbol;
        var nodes = new AffineNodes(new FinishNodes(graph, "preprocessing/"), maps.Values.Any(m => m.ReplacesMissing));
        var parts = new List<(ChainTrace.Place End, string Value, int Length)>();
        foreach (var end in trace.Ends)
        {
            var column = trace.Column(end);
            var type = OrtArrays.TypeOf(Numbers.Item(column.Type).RawType);
            int[] shape = column.Type is VectorDataViewType vector ? [.. vector.Dimensions] : [1];
            graph.Inputs.Add(Graph.Value(Prefix + column.Name, type, [rows, .. shape.Cast<object>()]));
            var value = type == DataType.Float ? Prefix + column.Name : nodes.ToSingle(Prefix + column.Name);
            if (pixels.ContainsKey(end)) value = nodes.Pixels(value, maps[end], shape);
            parts.Add((end, value, Numbers.Length(column.Type)));
        }
        var raw = nodes.Join([.. parts.Select(p => (p.Value, p.Length))], Tensor);
        var values = parts.Select((p, i) => (p.End, Value: pixels.ContainsKey(p.End) ? nodes.Apply(maps[p.End], raw[i]) : raw[i])).ToDictionary(p => p.End, p => p.Value);
        AffineNodes.Slots Value(ChainTrace.Place place)
        {
            if (!values.TryGetValue(place, out var value)) values[place] = value = nodes.Apply(maps[place], nodes.Concat([.. trace.Inputs(place).Select(Value)]));
            return value;
        }
        foreach (var plan in replaced)
        {
            var column = trace.Column(targets[plan.Name]);
            long[] shape = plan.CanBatch ? [-1, .. plan.Dims.Skip(1)] : plan.Dims;
            var length = plan.Dims.Aggregate(1L, (a, d) => a * d);
            if (Numbers.Length(column.Type) != length)
                throw new InvalidModelException($"Column '{column.Name}', which the preprocessing makes for the model's input '{plan.Name}', has {Numbers.Length(column.Type)} values; the model takes {length} ([{string.Join(", ", plan.Dims)}]). Check that it is the column the network was trained on.");
            nodes.Give(Value(targets[plan.Name]), shape, plan.Name);
        }
        return options with
        {
            Preprocessing = null,
            InputColumn = null,
            InputColumns = graph.Inputs.ToDictionary(i => i.Name, i => sources.ContainsKey(i.Name) ? i.Name[Prefix.Length..] : Column(options, i.Name)),
            InputShapes = options.InputShapes?.Where(s => !targets.ContainsKey(s.Key)).ToDictionary(s => s.Key, s => s.Value),
            ExplainedInputs = [Tensor],
        };
    }

    private static string Column(LinearizeOptions options, string input) => options.InputColumn ?? options.InputColumns?.GetValueOrDefault(input) ?? input;

    private static List<string> Explained(ModelProto model, LinearizeOptions options)
    {
        var inputs = new Graph(model).Inputs;
        if (options.InputColumn is not null && (options.InputColumns is not null || inputs.Count > 1))
            throw new ArgumentException($"LinearizeOptions.{nameof(options.InputColumn)} names the column of a model's only input; this model has {inputs.Count}: {Transforms.InputColumn.Quoted(inputs.Select(i => i.Name))}. Set {nameof(options.InputColumns)} alone.");
        var floats = inputs.Where(i => (DataType)(i.Type?.TensorType?.ElemType ?? 0) is DataType.Float or DataType.Double or DataType.Float16 or DataType.Bfloat16).Select(i => i.Name).ToList();
        var explained = options.ExplainedInputs is { Count: > 0 } named ? [.. named] : floats;
        if (explained.FirstOrDefault(n => !floats.Contains(n)) is { } other)
            throw new ArgumentException($"LinearizeOptions.{nameof(options.Preprocessing)} goes back from the model's inputs of floating-point numbers, [{string.Join(", ", floats)}]; {nameof(options.ExplainedInputs)} names '{other}'. Explain by the model's inputs, or without {nameof(options.Preprocessing)}.");
        return explained.Count > 0 ? explained : throw new ArgumentException("The model has no input of floating-point numbers to go back from.");
    }
}
