using MLNetLinearize.Onnx;
using MLNetLinearize.Runtime;
using MLNetLinearize.Tests.Rules;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Tests.Canonicalization;

/// <summary>
/// What ONNX Runtime's transformer optimizer fuses: its own output of the fused model, and the map of it in both readings
/// against central differences (tangent) and the sum (both), row by row and in a batch.
/// </summary>
public class TransformerFusionTests
{
    private const int Positions = 3, Width = 4;

    public static TheoryData<string> Fused => new(Networks.Keys);

    private static readonly Dictionary<string, Func<Net, string, string>> Networks = new(StringComparer.Ordinal)
    {
        ["Gelu"] = (n, x) => n.Op("Gelu", [x]),
        ["BiasGelu"] = (n, x) => n.Op("BiasGelu", [x, n.Weights(Width)]),
        ["FastGelu"] = (n, x) => n.Op("FastGelu", [x]),
        ["FastGelu with a bias"] = (n, x) => n.Op("FastGelu", [x, n.Weights(Width)]),
        ["QuickGelu"] = (n, x) => n.Op("QuickGelu", [x], ("alpha", 1.5f)),
        ["SkipLayerNormalization"] = (n, x) => n.Op("SkipLayerNormalization", [x, Other(n, x), n.Positive(Width), n.Weights(Width), n.Weights(Width)], ("epsilon", 1e-3f)),
        ["SkipLayerNormalization, its sum read too"] = (n, x) =>
        {
            var y = n.Ops("SkipLayerNormalization", 4, [x, Other(n, x), n.Positive(Width)]);
            return n.Op("QuickGelu", [n.Op("Add", [y[0], y[3]])]);
        },
        ["SkipSimplifiedLayerNormalization"] = (n, x) => n.Op("SkipSimplifiedLayerNormalization", [x, Other(n, x), n.Positive(Width), n.Weights(Width)]),
        ["SimplifiedLayerNormalization"] = (n, x) => n.Op("SimplifiedLayerNormalization", [x, n.Positive(Width)], ("axis", -1L)),
        ["Attention"] = (n, x) => n.Op("Attention", [x, n.Weights(Width, 3 * Width), n.Weights(3 * Width)], ("num_heads", 2L)),
        ["Attention of earlier positions"] = (n, x) => n.Op("Attention", [x, n.Weights(Width, 3 * Width), n.Weights(3 * Width)], ("num_heads", 2L), ("unidirectional", 1L), ("scale", 0.3f)),
        ["Attention with a mask"] = (n, x) => n.Op("Attention", [x, n.Weights(Width, 3 * Width), n.Weights(3 * Width), Seen(n, x)], ("num_heads", 2L)),
        ["Attention with lengths"] = (n, x) => n.Op("Attention", [x, n.Weights(Width, 3 * Width), n.Weights(3 * Width), n.Op("ReduceMax", [Seen(n, x)], ("axes", Net.L(1)), ("keepdims", 0L))], ("num_heads", 1L)),
        ["Attention with a bias of scores"] = (n, x) => n.Op("Attention", [x, n.Weights(Width, 3 * Width), n.Weights(3 * Width), "", "", n.Weights(1, 2, Positions, Positions)], ("num_heads", 2L)),
        ["MultiHeadAttention"] = (n, x) => n.Op("MultiHeadAttention", [x, Other(n, x), Other(n, x)], ("num_heads", 2L)),
        ["MultiHeadAttention with biases and a mask"] = (n, x) => n.Op("MultiHeadAttention", [x, Other(n, x), x, n.Weights(3 * Width), Seen(n, x)], ("num_heads", 2L), ("mask_filter_value", -5_000f)),
    };

    [Theory]
    [MemberData(nameof(Fused))]
    public void The_map_is_that_of_what_was_fused(string name)
    {
        var model = Model(Networks[name]);
        var random = new Random(4);
        var rows = Enumerable.Range(0, 2 * Positions * Width).Select(_ => random.NextSingle() * 3 - 1.5f).ToArray();
        using var original = new OriginalModel(model, model.Graph.Output[0].Name);
        foreach (var nonlinearity in Enum.GetValues<Nonlinearity>())
        {
            var graph = LinearizationGraph.Compile(CaseRun.Stream(model), new() { Targets = Targets.All, Nonlinearity = nonlinearity });
            Assert.Null(graph.Report.RowByRowReason);
            Assert.All(graph.Model.OpsetImport, o => Assert.True(o.Domain is "" or "ai.onnx"));
            using var session = new ExplanationSession(graph);
            var batch = session.Run(new Dictionary<string, Array> { ["x"] = rows }, 2);
            Agreement.AssertClose(original.Run("x", rows, [2, Positions, Width]).Widened(), batch.AllSingle("Score").Widened(), "Score", 1e-5);
            Assert.All(batch.AllSingle("LinearizationError"), e => Assert.True(e < 1e-5f, $"error {e}"));
            if (nonlinearity == Nonlinearity.Tangent) AssertJacobian(session, rows[..(Positions * Width)], batch.Single("Weights", 0).ToArray());
        }
    }

    [Fact]
    public void Embeddings_of_words_positions_and_segments_are_normalized_and_added()
    {
        var net = new Net(17, 6);
        var ids = net.Input("ids", DataType.Int64, "N", Positions);
        var words = net.Op("Cast", [ids], ("to", (long)DataType.Int32));
        var y = net.Ops("EmbedLayerNormalization", 3, [words, words, net.Weights(5, Width), net.Weights(6, Width), net.Weights(5, Width), net.Positive(Width), net.Weights(Width)], ("epsilon", 1e-3f));
        var model = Foreign(net.Build(net.Op("MatMul", [y[0], net.Weights(Width, 2)])));
        using var original = new OriginalModel(model, model.Graph.Output[0].Name);
        var graph = LinearizationGraph.Compile(CaseRun.Stream(model), new() { Targets = Targets.All, ExplainedInputs = [y[2]] });
        using var session = new ExplanationSession(graph);
        long[] row = [1, 4, 2];
        var batch = session.Run(new Dictionary<string, Array> { ["ids"] = row }, 1);
        Agreement.AssertClose(original.Run("ids", row, [1, Positions]).Widened(), batch.AllSingle("Score").Widened(), "Score", 1e-5);
        Assert.All(batch.AllSingle("LinearizationError"), e => Assert.True(e < 1e-5f, $"error {e}"));
        Assert.Contains(batch.AllSingle("Weights"), w => w != 0);
    }

    [Fact]
    public void A_past_state_is_refused_by_name()
    {
        var model = Model((n, x) => n.Ops("Attention", 2, [x, n.Weights(Width, 3 * Width), n.Weights(3 * Width), "", n.Weights(2, 1, 2, Positions, 2)], ("num_heads", 2L))[0]);
        var refused = Assert.Single(UnsupportedTests.Refused(model).Nodes);
        Assert.Equal("com.microsoft.Attention", refused.Operator);
        Assert.Contains("a past state", refused.Reason, StringComparison.Ordinal);
    }

    /// <summary>W·u of every score against the slope along u, one element u of the row at a time.</summary>
    private static void AssertJacobian(ExplanationSession session, float[] row, float[] weights)
    {
        const float Step = 1e-2f;
        float[] Scores(int i, float step) => session.Run(new Dictionary<string, Array> { ["x"] = row.Select((v, k) => k == i ? v + step : v).ToArray() }, 1).AllSingle("Score");
        for (var i = 0; i < row.Length; i++)
        {
            var (more, less) = (Scores(i, Step), Scores(i, -Step));
            // Of second order in the step: about 1e-4 times the third derivative.
            for (var k = 0; k < more.Length; k++)
                Assert.Equal((more[k] - less[k]) / (2 * Step), weights[k * row.Length + i], 5e-3f);
        }
    }

    private static ModelProto Model(Func<Net, string, string> network)
    {
        var net = new Net(17, 5);
        return Foreign(net.Build(network(net, net.Input("x", "N", Positions, Width))));
    }

    /// <summary>Puts what the standard does not know into ONNX Runtime's own domain, but for the one that it keeps in the default domain.</summary>
    private static ModelProto Foreign(ModelProto model)
    {
        foreach (var node in model.Graph.Node.Where(n => n.OpType is not ("SimplifiedLayerNormalization" or "MatMul" or "Cast" or "Add" or "Greater" or "ReduceMax" or "Mul" or "ReduceSum")))
            node.Domain = "com.microsoft";
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "com.microsoft", Version = 1 });
        return model;
    }

    private static string Other(Net net, string x) => net.Op("MatMul", [x, net.Weights(Width, Width)]);

    /// <summary>1 for the positions whose sum is above −1, 0 for the others; whole numbers of 32 bits.</summary>
    private static string Seen(Net net, string x) => net.Op("Cast", [net.Op("Greater", [net.Op("ReduceSum", [x, net.Ints(2)], ("keepdims", 0L)), net.Scalar(-1)])], ("to", (long)DataType.Int32));
}
