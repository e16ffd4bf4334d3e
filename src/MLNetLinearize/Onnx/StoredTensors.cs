namespace MLNetLinearize.Onnx;

/// <summary>A tensor that a model stores, and where it stands.</summary>
/// <param name="Tensor">The tensor.</param>
/// <param name="Part">What of a sparse tensor it is, in words; null where it stands for itself.</param>
/// <param name="Attribute">The attribute that holds it; null for an initializer.</param>
/// <param name="Node">The attribute's node; null for an initializer, and for the default of a function's attribute.</param>
internal readonly record struct StoredTensor(TensorProto Tensor, string? Part, AttributeProto? Attribute, NodeProto? Node)
{
    /// <summary>The tensor as people find it in the file; with a capital, as a sentence starts.</summary>
    public string Describe()
    {
        var name = (Part is null ? "Tensor" : $"The {Part} of sparse tensor") + (Tensor.Name.Length > 0 ? $" '{Tensor.Name}'" : "");
        return (Attribute, Node) switch
        {
            (null, _) => name,
            (_, null) => $"{name} in the default of attribute '{Attribute.Name}'",
            _ => $"{name} in attribute '{Attribute.Name}' of {Node.Describe()}",
        };
    }
}

/// <summary>
/// Every tensor a model stores, wherever it may stand: initializers, plain and sparse, and attributes, of the graph, of graphs nested
/// in it, and of the bodies of functions. What the file keeps for training alone is left out, as it is never run.
/// </summary>
internal static class StoredTensors
{
    /// <exception cref="InvalidModelException">A sparse tensor has no values.</exception>
    public static IReadOnlyList<StoredTensor> Of(ModelProto model)
    {
        var found = new List<StoredTensor>();
        Add(model.Graph, found);
        foreach (var function in model.Functions)
        {
            foreach (var attribute in function.AttributeProto) Add(attribute, null, found);
            Add(function.Node, found);
        }
        return found;
    }

    private static void Add(GraphProto graph, List<StoredTensor> found)
    {
        foreach (var tensor in graph.Initializer) found.Add(new(tensor, null, null, null));
        foreach (var sparse in graph.SparseInitializer) Add(sparse, null, null, found);
        Add(graph.Node, found);
    }

    private static void Add(IEnumerable<NodeProto> nodes, List<StoredTensor> found)
    {
        foreach (var node in nodes)
            foreach (var attribute in node.Attribute) Add(attribute, node, found);
    }

    // The parser takes no message that is nested deeper than 100, so neither are these calls.
    private static void Add(AttributeProto attribute, NodeProto? node, List<StoredTensor> found)
    {
        if (attribute.T is not null) found.Add(new(attribute.T, null, attribute, node));
        foreach (var tensor in attribute.Tensors) found.Add(new(tensor, null, attribute, node));
        if (attribute.SparseTensor is not null) Add(attribute.SparseTensor, attribute, node, found);
        foreach (var sparse in attribute.SparseTensors) Add(sparse, attribute, node, found);
        if (attribute.G is not null) Add(attribute.G, found);
        foreach (var graph in attribute.Graphs) Add(graph, found);
    }

    private static void Add(SparseTensorProto sparse, AttributeProto? attribute, NodeProto? node, List<StoredTensor> found)
    {
        if (sparse.Values is null)
            throw new InvalidModelException($"{new StoredTensor(new(), "values", attribute, node).Describe()} are missing. Check the file with onnx.checker.");
        found.Add(new(sparse.Values, "values", attribute, node));
        if (sparse.Indices is not null) found.Add(new(sparse.Indices, "indices", attribute, node));
    }
}
