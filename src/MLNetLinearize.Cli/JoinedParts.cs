using MLNetLinearize.Canonicalization;
using MLNetLinearize.Linearization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Rules;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Cli;

/// <summary>
/// Several tensors that explain a score as one: they are put side by side, and whatever read them reads its own part of that line. Columns,
/// tables, reports and judgements then have one explained tensor, as for any other network.
/// </summary>
internal static class JoinedParts
{
    /// <param name="model">The model.</param>
    /// <param name="options">What to explain; of several <see cref="LinearizeOptions.ExplainedInputs"/> one is made.</param>
    /// <returns>The model and options, and the tensors with their shapes; the same, and none, where fewer than two are named.</returns>
    /// <exception cref="InputException">A tensor cannot be one of several.</exception>
    public static (ModelProto Model, LinearizeOptions Options, IReadOnlyList<ExplainedPart> Parts) Join(ModelProto model, LinearizeOptions options)
    {
        if (options.ExplainedInputs is not { Count: > 1 } names) return (model, options, []);
        var graph = new Graph(Tidying.Apply(model));
        var facts = Canonicalizer.Run(graph, options);
        if (names.FirstOrDefault(n => facts.TryGetValue(n, out var fact) && fact.Type != DataType.Float) is { } whole)
            throw new InputException($"--explained-input '{whole}' holds {facts[whole].Type} values, and several tensors are explained together as Float ones. Explain by it alone, or leave it out.");
        // What does not exist, or comes twice, is told as of one tensor.
        Compiler.Guard(model, options, (watched, _) => Compiler.Open(model, watched));
        var made = graph.Nodes.SelectMany(n => n.Output).Concat(graph.Inputs.Select(i => i.Name)).ToHashSet();
        if (names.FirstOrDefault(n => !made.Contains(n)) is { } inner) throw new InputException($"--explained-input '{inner}' lies inside a function or a loop, and several tensors can be named of the model's own graph only. Explain by it alone.");
        if (names.FirstOrDefault(n => facts[n].Dims is not [1, ..]) is { } without) throw new InputException($"--explained-input '{without}' is [{string.Join(", ", facts[without].Dims)}] for one row, without an axis of rows in front. Explain by it alone.");
        foreach (var first in names)
            if (names.FirstOrDefault(n => n != first && ValueFlow.Reached(graph, [first], RuleTable.Stops).Contains(n)) is { } second)
                throw new InputException($"--explained-input: '{second}' is computed from '{first}', so that what they contribute would count twice. Name one of them.");

        List<ExplainedPart> parts = [.. names.Select(n => new ExplainedPart(n, [.. facts[n].Dims.Skip(1).Select(d => (int)d)]))];
        var (line, nodes) = (graph.Fresh("explained"), new List<NodeProto>());
        string Add(string op, string[] inputs, string output, params ReadOnlySpan<(string, object)> attributes)
        {
            nodes.Add(Nodes.Create(op, inputs, [output], graph.Fresh($"{output}/node"), attributes));
            return output;
        }
        string[] flat = [.. parts.Select(p => Add("Flatten", [p.Name], graph.Fresh($"{p.Name}/flat"), ("axis", 1L)))];
        Add("Concat", flat, line, ("axis", 1L));
        var (start, renamed) = (0L, new Dictionary<string, string>());
        foreach (var part in parts)
        {
            // A product with a matrix of zeros and ones would do as well; Gather is spelled alike in every operator set.
            var places = graph.AddInitializer(Tensors.Of($"{part.Name}/places", [.. Enumerable.Range(0, part.Length).Select(i => start + i)], part.Length));
            var own = Add("Gather", [line, places], graph.Fresh($"{part.Name}/own"), ("axis", 1L));
            long[] shape = [-1, .. part.RowShape.Select(d => (long)d)];
            renamed[part.Name] = Add("Reshape", [own, graph.AddInitializer(Tensors.Of($"{part.Name}/shape", shape, shape.Length))], graph.Fresh($"{part.Name}/again"));
            start += part.Length;
        }
        foreach (var node in graph.Nodes)
            for (var i = 0; i < node.Input.Count; i++)
                if (renamed.TryGetValue(node.Input[i], out var name)) node.Input[i] = name;
        graph.Nodes = Tidying.Sorted([.. graph.Nodes, .. nodes]);
        return (graph.ToModel(), options with { ExplainedInputs = [line] }, parts);
    }
}

/// <summary>One of several tensors that a score is explained by.</summary>
/// <param name="Name">Its name.</param>
/// <param name="RowShape">Shape of one row.</param>
internal sealed record ExplainedPart(string Name, IReadOnlyList<int> RowShape)
{
    public int Length => RowShape.Aggregate(1, (a, d) => a * d);

    /// <summary>Names of its elements: the data's, where it is an input that columns feed, else positions behind its name.</summary>
    /// <param name="inputs">The inputs that a row of data is cut into.</param>
    /// <param name="positions">Names of the elements of a tensor.</param>
    public IEnumerable<string> ElementNames(IReadOnlyList<InputPart> inputs, Func<GraphInput, IReadOnlyList<string>> positions) =>
        inputs.FirstOrDefault(i => i.Name == Name) is { } fed ? Enumerable.Range(0, Length).Select(i => fed.ColumnNames(i).First())
        : Length == 1 ? [Name] : positions(new GraphInput(Name, typeof(float), RowShape, true, true)).Select(p => $"{Name}{p}");
}
