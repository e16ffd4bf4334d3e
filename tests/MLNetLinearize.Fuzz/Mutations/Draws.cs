using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Fuzz.Mutations;

/// <summary>What mutations draw of: hostile numbers, names, graphs.</summary>
internal static class Draws
{
    private static readonly long[] Hostile =
    [
        0, -1, 1, 2, -2, 3, 7, 64, 1000, int.MaxValue, int.MinValue, 1L << 31, 1L << 32, 1L << 62, long.MaxValue, long.MinValue, -(1L << 62), 1 << 20,
    ];

    private static readonly float[] HostileFloats =
        [0, -0f, 1, -1, float.NaN, float.PositiveInfinity, float.NegativeInfinity, 1e38f, -1e38f, 1e-45f, 1e-38f, 0.5f, 16777217f, 1e9f];

    private static readonly DataType[] Types = Enum.GetValues<DataType>();

    public static long Integer(Random random) => Of(random, Hostile);

    public static float Float(Random random) => Of(random, HostileFloats);

    public static T Of<T>(Random random, IReadOnlyList<T> of) => of[random.Next(of.Count)];

    /// <summary>A type, now and then one that there is none of.</summary>
    public static int Type(Random random) => random.Next(10) == 0 ? (int)Integer(random) : (int)Of(random, Types);

    /// <summary>The model's graph, or one inside it.</summary>
    public static GraphProto Graph(ModelProto model, Random random)
    {
        model.Graph ??= new GraphProto();
        if (random.Next(3) > 0) return model.Graph;
        var all = Within(model.Graph).Prepend(model.Graph).ToList();
        return Of(random, all);
    }

    /// <summary>A tensor that the graph knows by name, now and then one that nobody makes.</summary>
    public static string Tensor(GraphProto graph, Random random)
    {
        string[] names =
        [
            .. graph.Input.Select(i => i.Name), .. graph.Initializer.Select(t => t.Name), .. graph.Node.SelectMany(n => n.Output), "nobody's",
        ];
        return Of(random, names);
    }

    /// <summary>A name short enough for one line.</summary>
    public static string Shown(string name) => name.Length > 40 ? name[..40] + "…" : name;

    private static IEnumerable<GraphProto> Within(GraphProto graph) => graph.Node.SelectMany(Nodes.Nested).SelectMany(g => Within(g).Prepend(g));
}
