using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Fuzz.Mutations;

/// <summary>A node put into a branch, a loop or a function, some of which call each other, themselves, or far too often.</summary>
internal static class NestingMutation
{
    private const string Domain = "drawn";
    private const int Doublings = 40;

    public static string Apply(ModelProto model, GraphProto graph, Random random)
    {
        if (graph.Node.Count == 0) return "no node to nest";
        var at = random.Next(graph.Node.Count);
        var what = graph.Node[at].Describe();
        var node = graph.Node[at].Clone();
        for (var depth = random.Next(6) == 0 ? random.Next(1, 60) : 1; depth > 1; depth--) graph.Node[at] = Branch(graph.Node[at], node, graph, random);
        return random.Next(3) switch
        {
            0 => $"{what} in a branch: {(graph.Node[at] = Branch(graph.Node[at], node, graph, random)).Describe()}",
            1 => $"{what} in a loop of {Loop(graph, at, random)} rounds",
            _ => $"{what} in {Functions(model, graph, at, random)}",
        };
    }

    /// <param name="node">What is nested.</param>
    /// <param name="plain">What the other branch holds: as large as the first, it would double the model with each depth.</param>
    /// <param name="graph">The graph around them.</param>
    /// <param name="random">Draws.</param>
    private static NodeProto Branch(NodeProto node, NodeProto plain, GraphProto graph, Random random)
    {
        var then = new GraphProto { Name = "then", Node = { node.Clone() } };
        then.Output.AddRange(node.Output.Select(o => new ValueInfoProto { Name = o }));
        var other = new GraphProto { Name = "else", Node = { plain.Clone() }, Output = { then.Output } };
        if (random.Next(4) == 0 && other.Node[0].Input.Count > 0) other.Node[0].Input[0] = Draws.Tensor(graph, random);
        var condition = random.Next(5) == 0 ? Draws.Tensor(graph, random) : Stored(graph, Tensors.Raw("condition", DataType.Bool, [(byte)random.Next(2)], []));
        return Nodes.Create("If", [condition], node.Output, $"If_{node.Name}", ("then_branch", then), ("else_branch", other));
    }

    private static long Loop(GraphProto graph, int at, Random random)
    {
        var node = graph.Node[at];
        var rounds = random.Next(3) == 0 ? Draws.Integer(random) : random.Next(5);
        var inner = node.Clone();
        for (var i = 0; i < inner.Output.Count; i++) inner.Output[i] += "~";
        var state = inner.Input.FirstOrDefault(i => i.Length > 0);
        var body = new GraphProto { Name = "body", Node = { Nodes.Create("Identity", ["go"], ["go~"], "again"), inner } };
        body.Input.Add([new ValueInfoProto { Name = "round" }, new ValueInfoProto { Name = "go" }]);
        body.Output.Add(new ValueInfoProto { Name = "go~" });
        body.Output.AddRange(inner.Output.Select(o => new ValueInfoProto { Name = o }));
        var go = random.Next(2) == 0 ? "" : Stored(graph, Tensors.Raw("go", DataType.Bool, [1], []));
        var inputs = new List<string> { Stored(graph, Tensors.Of("rounds", [rounds], [])), go };
        if (state is not null && inner.Output.Count == 1 && random.Next(2) == 0)
        {
            // The tensor goes around; else each round gives a slice of the output.
            for (var i = 0; i < inner.Input.Count; i++)
                if (inner.Input[i] == state) inner.Input[i] = "state";
            body.Input.Add(new ValueInfoProto { Name = "state" });
            inputs.Add(state);
        }
        graph.Node[at] = Nodes.Create("Loop", inputs, node.Output, $"Loop_{node.Name}", ("body", body));
        return rounds;
    }

    private static string Functions(ModelProto model, GraphProto graph, int at, Random random)
    {
        var node = graph.Node[at];
        var count = random.Next(5) == 0 ? random.Next(1, Doublings) : random.Next(1, 4);
        string Name(int i) => $"F{i}";
        string[] inputs = [.. node.Input.Where(i => i.Length > 0).Distinct()];
        for (var i = 0; i < count; i++)
        {
            var function = new FunctionProto { Name = Name(i), Domain = Domain, Input = { inputs }, Output = { node.Output.Where(o => o.Length > 0) } };
            function.OpsetImport.AddRange(model.OpsetImport.Select(o => o.Clone()));
            function.OpsetImport.Add(new OperatorSetIdProto { Domain = Domain, Version = 1 });
            var inner = i == 0 ? node.Clone() : Call(Name(i - 1), inputs, function.Output);
            function.Node.Add(inner);
            if (i > 0)
                // Calls it once more for nothing: each function stands for twice as many nodes as the one before.
                function.Node.Insert(0, Call(Name(i - 1), inputs, function.Output.Select(o => $"{o}~")));
            model.Functions.Add(function);
        }
        if (random.Next(5) == 0)
        {
            var first = model.Functions.First(f => f.Domain == Domain);
            first.Node.Add(Call(Name(random.Next(count)), inputs, first.Output.Select(o => $"{o}~~")));
        }
        if (model.OpsetImport.All(o => o.Domain != Domain)) model.OpsetImport.Add(new OperatorSetIdProto { Domain = Domain, Version = 1 });
        graph.Node[at] = Call(Name(count - 1), inputs, node.Output.Where(o => o.Length > 0));
        return $"a chain of {count} functions";
    }

    private static NodeProto Call(string function, IEnumerable<string> inputs, IEnumerable<string> outputs)
    {
        var call = Nodes.Create(function, inputs, outputs, "");
        call.Domain = Domain;
        return call;
    }

    private static string Stored(GraphProto graph, TensorProto tensor)
    {
        tensor.Name = $"{tensor.Name}_{graph.Initializer.Count}";
        graph.Initializer.Add(tensor);
        return tensor.Name;
    }
}
