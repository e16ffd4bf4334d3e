using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Tests.Rules;

namespace MLNetLinearize.Tests.Canonicalization;

/// <summary>What arithmetic tells of shapes is what a run finds.</summary>
public class KnownShapesTests
{
    [Fact]
    public void A_range_and_parts_of_tensors_are_followed()
    {
        var net = new Net(17, 1);
        var x = net.Input("x", 1, 5);
        string[] made =
        [
            net.Op("Range", [net.Ints([2], []), net.Ints([10], []), net.Ints([3], [])]), net.Op("Range", [net.Ints([9], []), net.Ints([0], []), net.Ints([-4], [])]),
            .. new (long From, long To, long Step)[] { (0, long.MaxValue, 1), (1, -1, 2), (-1, long.MinValue, -1), (4, 0, -3), (-9, 9, 2), (9, -9, -2) }
                .Select(s => net.Op("Slice", [x, net.Ints(s.From), net.Ints(s.To), net.Ints(1), net.Ints(s.Step)])),
        ];
        var graph = new Graph(net.Build(made[^1]));
        var facts = Canonicalizer.Run(graph, new());
        var shapes = new KnownShapes([("x", [1, 5])], graph.Initializers);
        Assert.All(graph.Nodes, n => Assert.Equal(facts[n.Output[0]].Dims, shapes.Follow(n)!));
    }

    [Fact]
    public void Every_shape_that_is_known_is_the_one_that_a_run_finds()
    {
        var (known, all, operators) = (0, 0, new HashSet<string>());
        foreach (var one in RuleCases.All)
        {
            var graph = new Graph(Tidying.Apply(one.Build().Model));
            if (graph.Opset < 7) continue;
            var inputs = InputPlan.All(graph.Inputs, new() { InputShapes = graph.Inputs.Count == 1 ? new Dictionary<string, IReadOnlyList<int>> { [graph.Inputs[0].Name] = [.. one.InputShape.Select(d => (int)d)] } : null });
            IReadOnlyDictionary<string, TensorFact> facts;
            try
            {
                facts = Canonicalizer.Run(graph, new());
            }
            catch (InvalidModelException)
            {
                continue; // not for ONNX Runtime as it stands, before the rewrites
            }
            var shapes = new KnownShapes(inputs.Select(i => (i.Name, i.Dims)), graph.Initializers);
            foreach (var node in graph.Nodes)
            {
                all++;
                if (shapes.Follow(node) is not { } shape || !facts.TryGetValue(node.Output[0], out var fact)) continue;
                known++;
                operators.Add(node.OpType);
                Assert.True(fact.Dims.SequenceEqual(shape), $"{one.Name}: {node.Describe()} is [{string.Join(", ", fact.Dims)}], not [{string.Join(", ", shape)}]");
            }
        }
        // A test of nothing would pass as well.
        Assert.True(known > all / 2, $"{known} of {all}");
        string[] makers = ["ConstantOfShape", "Expand", "Tile", "OneHot", "Pad", "Resize", "Concat", "MatMul", "Gemm", "Conv", "ConvTranspose", "Gather", "Reshape"];
        Assert.Empty(makers.Except(operators));
    }
}
