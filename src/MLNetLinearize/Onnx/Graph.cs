using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Onnx;

/// <summary>
/// A model opened for editing: nodes in topological order, initializers by name, and names that do not collide.
/// <see cref="ToModel"/> gives the file form back; whatever the model carried beyond the graph stays with it.
/// </summary>
internal sealed class Graph
{
    private readonly ModelProto header;
    private readonly HashSet<string> names = [];
    private int counter;

    public Graph(ModelProto model)
    {
        header = model.Clone();
        var graph = header.Graph;
        Nodes = [.. graph.Node];
        if (graph.Initializer.GroupBy(t => t.Name).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new InvalidModelException($"The model stores the tensor '{twice.Key}' {twice.Count()} times. Names must be unique; check the file with onnx.checker.");
        Initializers = graph.Initializer.ToDictionary(t => t.Name);
        // IR versions below 4 list every initializer among the inputs as well.
        Inputs = [.. graph.Input.Where(i => !Initializers.ContainsKey(i.Name))];
        Outputs = [.. graph.Output];
        names.UnionWith(Initializers.Keys);
        names.UnionWith(graph.Input.Select(i => i.Name));
        foreach (var node in Nodes)
        {
            names.UnionWith(node.Output);
            names.Add(node.Name);
        }
        graph.Node.Clear();
        graph.Initializer.Clear();
        graph.Input.Clear();
        graph.Output.Clear();
        graph.ValueInfo.Clear();
    }

    public List<NodeProto> Nodes { get; set; }

    public Dictionary<string, TensorProto> Initializers { get; }

    public List<ValueInfoProto> Inputs { get; }

    public List<ValueInfoProto> Outputs { get; }

    /// <summary>Version of the default operator set.</summary>
    public long Opset
    {
        get => header.OpsetImport.FirstOrDefault(o => o.Domain is "" or "ai.onnx")?.Version ?? 1;
        set
        {
            var entry = header.OpsetImport.FirstOrDefault(o => o.Domain is "" or "ai.onnx");
            if (entry is null) header.OpsetImport.Add(entry = new OperatorSetIdProto { Domain = "" });
            entry.Version = value;
        }
    }

    public ModelProto Header => header;

    /// <summary>Why nodes stand for themselves that could stand for others, by their first output; told where it matters.</summary>
    public Dictionary<string, (string Reason, string Remedy)> Objections { get; } = new(StringComparer.Ordinal);

    public void Object(NodeProto node, string reason, string remedy) => Objections[node.Output.First(o => o.Length > 0)] = (reason, remedy);

    /// <summary>The objection to a node; null where there is none.</summary>
    public (string Reason, string Remedy)? Objection(NodeProto node) => node.Output.FirstOrDefault(o => o.Length > 0) is { } name && Objections.TryGetValue(name, out var why) ? why : null;

    /// <summary>A name nobody in the graph uses, made from <paramref name="hint"/>.</summary>
    public string Fresh(string hint)
    {
        var name = hint;
        while (!names.Add(name)) name = $"{hint}_{++counter}";
        return name;
    }

    public string AddInitializer(TensorProto tensor)
    {
        tensor.Name = Fresh(tensor.Name);
        Initializers.Add(tensor.Name, tensor);
        return tensor.Name;
    }

    public Graph Clone()
    {
        var clone = new Graph(ToModel());
        foreach (var (name, why) in Objections) clone.Objections[name] = why;
        return clone;
    }

    public ModelProto ToModel()
    {
        var model = header.Clone();
        model.Graph.Node.AddRange(Nodes);
        model.Graph.Initializer.AddRange(Initializers.Values);
        model.Graph.Input.AddRange(Inputs);
        model.Graph.Output.AddRange(Outputs);
        return model;
    }

    /// <summary>Puts every node behind those whose outputs it reads; apart from that they stay in order.</summary>
    public void Sort() => Nodes = Tidying.Sorted(Nodes);

    /// <summary>Drops nodes and initializers that none of <paramref name="wanted"/> depends on.</summary>
    public void RemoveDead(IEnumerable<string> wanted)
    {
        var live = new HashSet<string>(wanted);
        var kept = new List<NodeProto>();
        foreach (var node in Enumerable.Reverse(Nodes))
        {
            if (!node.Output.Any(o => o.Length > 0 && live.Contains(o))) continue;
            if (node.IsStandard() && node.OpType == "Scan") DropUnread(node, live);
            kept.Add(node);
            live.UnionWith(Reads(node));
        }
        kept.Reverse();
        Nodes = kept;
        foreach (var name in Initializers.Keys.Where(n => !live.Contains(n)).ToList()) Initializers.Remove(name);
    }

    /// <summary>Drops what a Scan of no state gives back and nobody reads, and what its body computes for that alone or for nobody.</summary>
    private static void DropUnread(NodeProto scan, HashSet<string> live)
    {
        var isPlain = scan.Input.Count == scan.Int("num_scan_inputs", 0) && !scan.Has("scan_output_axes") && !scan.Has("scan_output_directions");
        if (!isPlain) return;
        var body = scan.Find("body")!.G;
        for (var i = scan.Output.Count - 1; i >= 0; i--)
        {
            if (live.Contains(scan.Output[i])) continue;
            scan.Output.RemoveAt(i);
            body.Output.RemoveAt(i);
        }
        var read = body.Output.Select(o => o.Name).ToHashSet();
        var kept = new List<NodeProto>();
        foreach (var node in Enumerable.Reverse(body.Node).Where(n => n.Output.Any(read.Contains)))
        {
            kept.Insert(0, node);
            read.UnionWith(Reads(node));
        }
        body.Node.Clear();
        body.Node.AddRange(kept);
    }

    /// <summary>Every outer tensor a node reads, those read inside its nested graphs included.</summary>
    public static IEnumerable<string> Reads(NodeProto node) =>
        node.Input.Where(i => i.Length > 0).Concat(Onnx.Nodes.Nested(node).SelectMany(ReadsFromOutside));

    private static IEnumerable<string> ReadsFromOutside(GraphProto inner) =>
        inner.Node.SelectMany(Reads).Concat(inner.Output.Select(o => o.Name))
            .Except(inner.Node.SelectMany(n => n.Output).Concat(inner.Initializer.Select(t => t.Name)).Concat(inner.Input.Select(i => i.Name)));

    public static ValueInfoProto Value(string name, DataType type, IEnumerable<object> dims)
    {
        var shape = new TensorShapeProto();
        foreach (var d in dims)
            shape.Dim.Add(d is string s ? new TensorShapeProto.Types.Dimension { DimParam = s } : new TensorShapeProto.Types.Dimension { DimValue = Convert.ToInt64(d, System.Globalization.CultureInfo.InvariantCulture) });
        return new ValueInfoProto { Name = name, Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)type, Shape = shape } } };
    }
}
