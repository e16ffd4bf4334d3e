using System.Diagnostics;
using MLNetLinearize.Onnx;
using MLNetLinearize.Tests.Rules;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Tests.Linearization;

/// <summary>What a few bytes of a model ask for is bounded before it is allocated, written out or waited for.</summary>
public class LimitTests
{
    /// <summary>Operators that make a tensor of 2³⁰ elements of next to nothing.</summary>
    private static readonly Dictionary<string, Func<Net, string, string>> Bombs = new()
    {
        ["ConstantOfShape"] = (n, x) => n.Op("ConstantOfShape", [n.Ints(1 << 15, 1 << 15)]),
        ["Expand"] = (n, x) => n.Op("Expand", [x, n.Ints(1 << 28, 4)]),
        ["Tile"] = (n, x) => n.Op("Tile", [x, n.Ints(1, 1 << 28)]),
        ["Range"] = (n, x) => n.Op("Cast", [n.Op("Range", [n.Ints([0], []), n.Ints([1 << 30], []), n.Ints([1], [])])], ("to", 1L)),
        ["Pad"] = (n, x) => n.Op("Pad", [x, n.Ints(0, 0, 0, 1 << 30)]),
        ["OneHot"] = (n, x) => n.Op("OneHot", [n.Ints(0), n.Ints(1 << 30), n.Floats([0, 1], 2)]),
        ["Resize"] = (n, x) => n.Op("Resize", [x, "", n.Floats([1, 1 << 28], 2)]),
        ["MatMul"] = (n, x) => n.Op("MatMul", [n.Op("Reshape", [n.Op("ConstantOfShape", [n.Ints(1 << 15)]), n.Ints(-1, 1)]), n.Op("Reshape", [n.Op("ConstantOfShape", [n.Ints(1 << 15)]), n.Ints(1, -1)])]),
        ["Concat"] = (n, x) => Enumerable.Range(0, 28).Aggregate(x, (t, _) => n.Op("Concat", [t, t], ("axis", 1L))),
        ["Add"] = (n, x) => n.Op("Add", [n.Op("ConstantOfShape", [n.Ints(1 << 15, 1)]), n.Op("ConstantOfShape", [n.Ints(1, 1 << 15)])]),
    };

    public static TheoryData<string> Operators => [.. Bombs.Keys];

    [Theory]
    [MemberData(nameof(Operators))]
    public void A_tensor_that_no_row_needs_is_refused_before_it_is_allocated(string op)
    {
        var net = new Net(17, 1);
        var x = net.Input("x", 1, 4);
        var large = Bombs[op](net, x);
        var model = net.Build(net.Op("Add", [x, net.Op("ReduceMax", [large], ("keepdims", 0L))]));
        var (error, seconds, bytes) = Measured(model, new());
        Assert.Matches($"^{op} '{op}[0-9]+' makes a tensor of shape .*, of [0-9,]+ elements, and at most 67,108,864 are taken. .* raise LinearizeOptions.Limits.MaxElements.$", error.Message);
        Assert.True(seconds < 10 && bytes < 200_000_000, $"{seconds} s, {bytes} bytes");
    }

    [Fact]
    public void An_input_that_no_row_fills_is_refused_before_it_is_sampled()
    {
        var net = new Net(17, 2);
        var (error, _, bytes) = Measured(net.Build(net.Op("Relu", [net.Input("x", 1, 1L << 30)])), new());
        Assert.Contains("Input 'x' is of shape [1, 1073741824], of 1,073,741,824 elements, and at most 67,108,864 are taken.", error.Message, StringComparison.Ordinal);
        Assert.True(bytes < 200_000_000, $"{bytes} bytes");
    }

    /// <summary>What arithmetic does not follow is noticed while it runs.</summary>
    [Fact]
    public void A_run_that_takes_too_much_memory_is_ended()
    {
        var net = new Net(17, 3);
        var x = net.Input("x", 1, 4);
        // Where an operator stands between whose shape is not followed, each round doubles.
        var large = Enumerable.Range(0, 27).Aggregate(x, (t, _) => net.Op("Concat", [net.Op("HardSwish", [net.Op("Shrink", [t])]), t], ("axis", 1L)));
        var model = net.Build(net.Op("Add", [x, net.Op("ReduceMax", [large], ("keepdims", 0L))]));
        var (error, seconds, _) = Measured(model, new() { Limits = new() { MaxBytes = 100_000_000 } });
        Assert.Matches("^A run of the model on a sample row takes [0-9,]+ bytes of memory, and at most 100,000,000 are taken.", error.Message);
        Assert.True(seconds < 20, $"{seconds} s");
    }

    [Fact]
    public void A_loop_that_never_ends_is_given_up()
    {
        var (error, seconds, _) = Measured(Endless(), new() { Limits = new() { MaxTime = TimeSpan.FromSeconds(1) } });
        Assert.StartsWith("Compiling has taken 1 seconds, and is given up.", error.Message, StringComparison.Ordinal);
        Assert.InRange(seconds, 1, 20);
    }

    [Fact]
    public void A_compilation_is_cancelled_within_a_run()
    {
        using var source = new CancellationTokenSource(TimeSpan.FromMilliseconds(500));
        var clock = Stopwatch.StartNew();
        Assert.ThrowsAny<OperationCanceledException>(() => LinearizationGraph.Compile(CaseRun.Stream(Endless()), new() { CancellationToken = source.Token }));
        Assert.InRange(clock.Elapsed.TotalSeconds, 0.4, 20);
    }

    [Fact]
    public void Functions_that_call_each_other_are_counted_before_they_are_written_out()
    {
        var model = Calling(levels: 8, calls: 10);
        var (error, seconds, bytes) = Measured(model, new());
        Assert.Contains("the model has 100,000,000 nodes, and at most 200,000 are taken.", error.Message, StringComparison.Ordinal);
        Assert.True(seconds < 10 && bytes < 200_000_000, $"{seconds} s, {bytes} bytes");
    }

    [Fact]
    public void A_function_that_calls_itself_is_refused_by_name()
    {
        var model = Calling(levels: 3, calls: 1);
        (model.Functions[2].Node[0].OpType, model.Functions[2].Node[0].Domain) = ("F1", "mine");
        Assert.Contains("The model's functions call themselves: 'mine.F1' calls 'mine.F2' calls 'mine.F1'.", Measured(model, new()).Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Loops_in_loops_are_counted_before_they_are_unrolled()
    {
        var net = new Net(17, 4);
        var inner = Body("y", Nodes.Create("Relu", ["state"], ["out"], "relu"));
        var outer = Body("x", Nodes.Create("Loop", ["rounds", "", "state"], ["out"], "inner", ("body", inner)));
        outer.Initializer.Add(Tensors.Of("rounds", [1000L]));
        var model = net.Build(net.Op("Loop", [net.Ints([1000], []), "", net.Input("x", "N", 4)], ("body", outer)));
        var (error, seconds, bytes) = Measured(model, new());
        Assert.Matches("the model has 2,00[0-9],[0-9]{3} nodes, and at most 200,000 are taken.", error.Message);
        Assert.True(seconds < 10 && bytes < 200_000_000, $"{seconds} s, {bytes} bytes");
    }

    private static (InvalidModelException Error, double Seconds, long Bytes) Measured(ModelProto model, LinearizeOptions options)
    {
        // Of this thread alone: other tests run beside it. The whole process is measured where hostile models are inspected.
        var (before, clock) = (GC.GetAllocatedBytesForCurrentThread(), Stopwatch.StartNew());
        var error = Assert.Throws<InvalidModelException>(() => LinearizationGraph.Compile(CaseRun.Stream(model), options));
        return (error, clock.Elapsed.TotalSeconds, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static ModelProto Endless()
    {
        var net = new Net(17, 5);
        return net.Build(net.Op("Loop", ["", net.Booleans([true]), net.Input("x", "N", 4)], ("body", Body("x", Nodes.Create("Relu", ["state"], ["out"], "relu")))));
    }

    private static GraphProto Body(string name, NodeProto node)
    {
        var body = new GraphProto { Name = name, Node = { Nodes.Create("Identity", ["go"], ["goes on"], $"{name}/go"), node } };
        body.Input.Add(Graph.Value("i", DataType.Int64, []));
        body.Input.Add(Graph.Value("go", DataType.Bool, []));
        body.Input.Add(new ValueInfoProto { Name = "state", Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)DataType.Float } } });
        body.Output.Add(new ValueInfoProto { Name = "goes on" });
        body.Output.Add(new ValueInfoProto { Name = "out" });
        return body;
    }

    /// <summary>Each function calls the next as often as asked for, one after the other; the last is a Relu.</summary>
    private static ModelProto Calling(int levels, int calls)
    {
        var net = new Net(17, 6);
        var model = net.Build(net.Op("F0", [net.Input("x", "N", 4)]));
        model.Graph.Node[0].Domain = "mine";
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "mine", Version = 1 });
        for (var level = 0; level < levels; level++)
        {
            var function = new FunctionProto { Name = $"F{level}", Domain = "mine", Input = { "a" }, Output = { $"t{calls - 1}" } };
            function.OpsetImport.Add(model.OpsetImport);
            for (var i = 0; i < calls; i++)
            {
                var node = Nodes.Create(level == levels - 1 ? "Relu" : $"F{level + 1}", [i == 0 ? "a" : $"t{i - 1}"], [$"t{i}"], $"n{i}");
                if (level < levels - 1) node.Domain = "mine";
                function.Node.Add(node);
            }
            model.Functions.Add(function);
        }
        return model;
    }
}
