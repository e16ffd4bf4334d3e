using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Tests.Transforms;

/// <summary>
/// A linear layer <c>Score = Σ x·A + c</c> over one or more inputs, with its linearization graph written by hand, so that
/// the ML.NET component is tested apart from the compiler, and what it must give is plain arithmetic.
/// </summary>
internal sealed class HandMadeGraph
{
    private readonly GraphProto nodes = new() { Name = "linear" };
    private int counter;

    public HandMadeGraph(int outputs, LinearizeOptions? options = null, params (string Name, int[] Shape)[] inputs)
    {
        Outputs = outputs;
        options ??= new();
        if (inputs.Length == 0) inputs = [("x", [4])];
        var random = new Random(7);
        Offsets = [.. Enumerable.Range(0, outputs).Select(_ => random.NextSingle() - 0.5f)];
        foreach (var (name, shape) in inputs)
            Weights[name] = [.. Enumerable.Range(0, outputs).Select(_ => Enumerable.Range(0, shape.Aggregate(1, (a, d) => a * d)).Select(_ => random.NextSingle() * 2 - 1).ToArray())];
        var k = options.Targets.Kind switch { TargetKind.All => outputs, TargetKind.Top => options.Targets.Count, TargetKind.Classes => options.Targets.Indices.Count, _ => 1 };
        Graph = Make(options, k, inputs);
    }

    public LinearizationGraph Graph { get; }

    public int Outputs { get; }

    public float[] Offsets { get; }

    /// <summary>By input, by output: the weights of one score.</summary>
    public Dictionary<string, float[][]> Weights { get; } = [];

    public float Score(int target, params (string Input, float[] Values)[] row) => Offsets[target] + row.Sum(r => r.Values.Zip(Weights[r.Input][target], (x, w) => x * w).Sum());

    public int Predicted(float[] x) => Enumerable.Range(0, Outputs).MaxBy(c => Score(c, ("x", x)));

    public float[] Attribution(int target, float[] x, string input = "x") => [.. x.Zip(Weights[input][target], (a, b) => a * b)];

    private LinearizationGraph Make(LinearizeOptions options, int k, (string Name, int[] Shape)[] inputs)
    {
        var fromColumn = options.Targets.Kind == TargetKind.FromColumn;
        foreach (var (name, shape) in inputs)
            nodes.Input.Add(Onnx.Graph.Value(name, DataType.Float, ["N", .. shape.Cast<object>()]));
        var flat = inputs.ToDictionary(i => i.Name, i => Node("Reshape", [i.Name, Ints(0, -1)]));
        var score = inputs.Select(i => Node("MatMul", [flat[i.Name], Node("Transpose", [Matrix(i.Name)])])).Aggregate(Floats(Offsets), (a, b) => Node("Add", [b, a]));
        Output(OutputNames.Score, DataType.Float, score, "N", Outputs);

        var target = Target(options, k, score);
        Output(OutputNames.ExplainedTarget, DataType.Int64, target, "N", k);
        var known = Node("GreaterOrEqual", [target, Ints(0)]);
        var index = Node("Max", [target, Ints(0)]);
        var explained = Node("Where", [known, Node("GatherElements", [score, index], ("axis", 1)), Floats(float.NaN)]);
        var bias = Node("Where", [known, Node("Gather", [Floats(Offsets), index]), Floats(float.NaN)]);
        var sum = bias;
        foreach (var (name, shape) in inputs)
        {
            var suffix = inputs.Length == 1 ? "" : "." + name;
            var weights = Node("Where", [Node("Unsqueeze", [known, Ints(2)]), Node("Gather", [Matrix(name), index]), Floats(float.NaN)]);
            var attribution = Node("Mul", [weights, Node("Unsqueeze", [flat[name], Ints(1)])]);
            sum = Node("Add", [sum, Node("ReduceSum", [attribution, Ints(2)], ("keepdims", 0))]);
            var full = Ints([0, k, .. shape.Select(d => (long)d)]);
            Output(OutputNames.Attribution + suffix, DataType.Float, Node("Reshape", [attribution, full]), ["N", k, .. shape.Cast<object>()]);
            Output(OutputNames.Weights + suffix, DataType.Float, Node("Reshape", [weights, full]), ["N", k, .. shape.Cast<object>()]);
        }
        Output(OutputNames.Bias, DataType.Float, bias, "N", k);
        Output(OutputNames.ExplainedScore, DataType.Float, explained, "N", k);
        var error = Node("Div", [Node("Abs", [Node("Sub", [explained, sum])]), Node("Max", [Floats(1), Node("Abs", [explained])])]);
        Output(OutputNames.LinearizationError, DataType.Float, error, "N", k);

        var graphInputs = inputs.Select(i => new GraphInput(i.Name, typeof(float), i.Shape, HasBatchAxis: true, IsExplained: true)).ToList();
        var explainedInputs = graphInputs.ToList();
        if (fromColumn)
        {
            nodes.Input.Add(Onnx.Graph.Value(OutputNames.Label, DataType.Int64, ["N", 1]));
            graphInputs.Add(new GraphInput(OutputNames.Label, typeof(long), [1], HasBatchAxis: true, IsExplained: false));
        }
        var model = new ModelProto { IrVersion = 10, Graph = nodes };
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = 21 });
        var report = new CompilationReport { OriginalOpset = 21, Opset = 21, ExplainedOutput = "Score", IsPiecewiseLinear = true, Nodes = [] };
        return new LinearizationGraph(model, graphInputs, explainedInputs, Outputs, k, isRowByRow: false, options, report);
    }

    private string Target(LinearizeOptions options, int k, string score) => options.Targets.Kind switch
    {
        TargetKind.Predicted => Node("ArgMax", [score], ("axis", 1), ("keepdims", 1)),
        TargetKind.Top => Ranking(score, k),
        TargetKind.FromColumn => Node("Identity", [OutputNames.Label]),
        TargetKind.All => Repeated(score, [.. Enumerable.Range(0, k).Select(i => (long)i)]),
        TargetKind.Classes => Repeated(score, [.. options.Targets.Indices.Select(i => (long)i)]),
        _ => throw new NotSupportedException(),
    };

    private string Ranking(string score, int k)
    {
        var values = Node("TopK", [score, Ints(k)]);
        nodes.Node[^1].Output.Add(values + "_indices");
        return values + "_indices";
    }

    private string Repeated(string score, long[] targets)
    {
        var rows = Node("Slice", [Node("Shape", [score]), Ints(0), Ints(1)]);
        return Node("Expand", [Constant(Tensors.Of("", targets, 1, targets.Length)), Node("Concat", [rows, Ints(targets.Length)], ("axis", 0))]);
    }

    private string Matrix(string input) => Constant(Tensors.Of("", Weights[input].SelectMany(w => w).ToArray(), Outputs, Weights[input][0].Length));

    private string Floats(params float[] values) => Constant(Tensors.Of("", values, values.Length));

    private string Ints(params long[] values) => Constant(Tensors.Of("", values, values.Length));

    private string Constant(TensorProto tensor)
    {
        tensor.Name = $"constant{++counter}";
        nodes.Initializer.Add(tensor);
        return tensor.Name;
    }

    private string Node(string op, string[] from, params (string, object)[] attributes)
    {
        var name = $"{op}{++counter}";
        nodes.Node.Add(Nodes.Create(op, from, [name], name, attributes));
        return name;
    }

    private void Output(string name, DataType type, string value, params object[] dims)
    {
        nodes.Node.Add(Nodes.Create("Identity", [value], [name], "out_" + name));
        nodes.Output.Add(Onnx.Graph.Value(name, type, dims));
    }
}
