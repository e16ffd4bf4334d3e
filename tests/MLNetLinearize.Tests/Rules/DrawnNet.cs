using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Tests.Rules;

/// <summary>
/// A small network drawn at random as exporters write them: guards around what is not defined everywhere, masks, casts, constants that are
/// reshaped on the way, the spellings of several operator sets, and nodes in any order.
/// </summary>
internal sealed partial class DrawnNet
{
    private const int MostOperators = 7;
    private const int MostElements = 48;
    private static readonly long[] Opsets = [9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22];

    private readonly Random random;
    private readonly Net net;
    private readonly List<Tensor> made = [];

    /// <param name="seed">The same seed draws the same network.</param>
    public DrawnNet(int seed)
    {
        random = new(seed);
        Opset = Of(Opsets);
        net = new(Opset, seed);
        Shape = [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => random.Next(2, 5))];
        made.Add(new(net.Input("x", [random.Next(4) == 0 ? 1L : "N", .. Shape.Select(d => (object)d)]), Shape));
        for (var i = random.Next(1, MostOperators + 1); i > 0; i--) made.AddRange(Operator(Any()));
        Model = net.Build(End(made[^1]));
        Ordered = Model.Clone();
        if (random.Next(3) == 0) Shuffle(Model.Graph);
    }

    public long Opset { get; }

    public ModelProto Model { get; }

    /// <summary>The same with its nodes in order.</summary>
    public ModelProto Ordered { get; }

    /// <summary>The tensor that is explained.</summary>
    public string Explained => net.Explained ?? Model.Graph.Output[0].Name;

    /// <summary>Of a row.</summary>
    public int[] Shape { get; }

    /// <summary>A row: numbers of either sign, zeros and ones among them; now and then all alike.</summary>
    public float[] Row(int seed)
    {
        var draw = new Random(seed);
        var length = Shape.Aggregate(1, (a, d) => a * d);
        if (draw.Next(8) == 0) return [.. Enumerable.Repeat(draw.Next(-1, 2) * 1f, length)];
        return [.. Enumerable.Range(0, length).Select(_ => draw.Next(6) == 0 ? draw.Next(-1, 2) : 3 * draw.NextSingle() - 1.5f)];
    }

    private IEnumerable<Tensor> Operator(Tensor x) => random.Next(16) switch
    {
        0 or 1 => [Dense(x)],
        2 or 3 => [WithConstant(x)],
        4 => [WithAnother(x)],
        5 => [Activated(x)],
        6 or 7 or 8 => [Guarded(x)],
        9 or 10 => [Masked(x)],
        11 => [Cast(x)],
        12 => [Reshaped(x)],
        13 => [Moved(x)],
        14 => [Reduced(x)],
        _ => [Normalized(x)],
    };

    private Tensor Dense(Tensor x)
    {
        var size = random.Next(2, 5);
        return x.Rank == 1 && random.Next(2) == 0
            ? new(net.Op("Gemm", [x.Name, net.Weights(x.Shape[0], size), Constant([size])], ("alpha", 0.5f)), [size])
            : x with { Name = net.Op("MatMul", [x.Name, Constant([x.Shape[^1], size], mayBroadcast: false)]), Shape = [.. x.Shape[..^1], size] };
    }

    private Tensor WithConstant(Tensor x)
    {
        var constant = Constant(x.Shape[random.Next(x.Rank)..]);
        return x with
        {
            Name = random.Next(6) switch
            {
                0 => net.Op("Div", [x.Name, net.Positive(x.Shape[^1])]),
                1 => net.Op("Sub", [constant, x.Name]),
                2 => net.Op("Max", [x.Name, constant]),
                3 => net.Op("Min", [constant, x.Name]),
                4 => net.Op("Mul", [x.Name, constant]),
                _ => net.Op("Add", [x.Name, constant]),
            },
        };
    }

    private Tensor WithAnother(Tensor x)
    {
        var alike = made.Where(t => t.Shape.SequenceEqual(x.Shape)).ToList();
        var y = alike[random.Next(alike.Count)];
        return random.Next(6) switch
        {
            0 when x.Elements <= MostElements / 2 => new(net.Op("Concat", [x.Name, y.Name], ("axis", (long)x.Rank)), [.. x.Shape[..^1], 2 * x.Shape[^1]]),
            1 => x with { Name = net.Op("Mul", [x.Name, net.Op("Sigmoid", [y.Name])]) },
            2 => x with { Name = net.Op("Div", [x.Name, net.Op("Add", [net.Op("Abs", [y.Name]), net.Scalar(0.5f)])]) },
            3 => x with { Name = net.Op("Max", [x.Name, y.Name]) },
            4 => x with { Name = net.Op("Sub", [x.Name, y.Name]) },
            _ => x with { Name = net.Op("Add", [x.Name, y.Name]) },
        };
    }

    private Tensor Activated(Tensor x) => x with
    {
        Name = random.Next(11) switch
        {
            0 => net.Op("LeakyRelu", [x.Name], ("alpha", 0.1f)),
            1 => net.Op("PRelu", [x.Name, net.Weights(x.Shape[^1])]),
            2 => net.Op("Abs", [x.Name]),
            3 => Clipped(x.Name, -0.4f, 0.5f),
            4 => net.Op("Elu", [x.Name]),
            5 => net.Op("Tanh", [x.Name]),
            6 => net.Op("Softplus", [x.Name]),
            7 when Opset >= 14 => net.Op("HardSwish", [x.Name]),
            8 => net.Op("Mul", [x.Name, net.Op("Sigmoid", [x.Name])]),
            9 => net.Op("Neg", [x.Name]),
            _ => net.Op("Relu", [x.Name]),
        },
    };

    private Tensor Reduced(Tensor x)
    {
        var op = Of("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceSumSquare", "ReduceLogSumExp");
        var axis = random.Next(x.Rank);
        long[] axes = [random.Next(2) == 0 || Opset < 11 ? axis + 1L : axis - x.Rank];
        var kept = x.Rank == 1 || random.Next(2) == 0;
        var name = Opset >= (op == "ReduceSum" ? 13 : 18)
            ? net.Op(op, [x.Name, net.Ints(axes)], ("keepdims", kept ? 1L : 0L))
            : net.Op(op, [x.Name], ("axes", axes), ("keepdims", kept ? 1L : 0L));
        return new(name, [.. x.Shape[..axis], .. kept ? [1] : Array.Empty<int>(), .. x.Shape[(axis + 1)..]]);
    }

    private Tensor Normalized(Tensor x)
    {
        string[] parameters = Opset >= 17 && random.Next(2) == 0 ? [net.Positive(x.Shape[^1]), net.Weights(x.Shape[^1])] : [];
        if (parameters.Length > 0) return x with { Name = net.Op("LayerNormalization", [x.Name, .. parameters], ("axis", -1L), ("epsilon", 0.05f)) };
        var mean = Mean(x.Name, x.Rank);
        var centred = net.Op("Sub", [x.Name, mean]);
        var variance = Mean(net.Op("Mul", [centred, centred]), x.Rank);
        return x with { Name = net.Op("Div", [centred, net.Op("Sqrt", [net.Op("Add", [variance, net.Scalar(0.05f)])])]) };
    }

    private string Mean(string x, int rank) => Opset >= 18 ? net.Op("ReduceMean", [x, net.Ints(rank)]) : net.Op("ReduceMean", [x], ("axes", Net.L(rank)));

    /// <summary>A dense end; some with a final activation, before which lies what is explained.</summary>
    private string End(Tensor x)
    {
        var flat = x.Rank == 1 ? x.Name : net.Op("Flatten", [x.Name]);
        var outputs = random.Next(1, 4);
        var logits = net.Op("Gemm", [flat, net.Weights(x.Elements, outputs), net.Weights(outputs)]);
        if (random.Next(3) > 0) return logits;
        net.Explain(logits);
        return random.Next(4) switch
        {
            0 => net.Op("Sigmoid", [logits]),
            1 => SoftmaxByHand(logits),
            2 => net.Op("LogSoftmax", [logits], ("axis", 1L)),
            _ => net.Op("Softmax", [logits], ("axis", 1L)),
        };
    }

    private string SoftmaxByHand(string logits)
    {
        var largest = Opset >= 18 ? net.Op("ReduceMax", [logits, net.Ints(1)]) : net.Op("ReduceMax", [logits], ("axes", Net.L(1)));
        var powers = net.Op("Exp", [net.Op("Sub", [logits, largest])]);
        return net.Op("Div", [powers, Opset >= 13 ? net.Op("ReduceSum", [powers, net.Ints(1)]) : net.Op("ReduceSum", [powers], ("axes", Net.L(1)))]);
    }

    private string Clipped(string x, float from, float to) => Opset >= 11
        ? net.Op("Clip", [x, net.Floats([from]), net.Floats([to])])
        : net.Op("Clip", [x], ("min", from), ("max", to));

    private void Shuffle(GraphProto graph)
    {
        NodeProto[] nodes = [.. graph.Node];
        random.Shuffle(nodes);
        graph.Node.Clear();
        graph.Node.AddRange(nodes);
    }

    private Tensor Any() => made[Math.Max(random.Next(made.Count), random.Next(made.Count))];

    private T Of<T>(params ReadOnlySpan<T> of) => of[random.Next(of.Length)];

    /// <param name="Name">Its name.</param>
    /// <param name="Shape">Of a row.</param>
    private readonly record struct Tensor(string Name, int[] Shape)
    {
        public int Rank => Shape.Length;

        public int Elements => Shape.Aggregate(1, (a, d) => a * d);
    }
}
