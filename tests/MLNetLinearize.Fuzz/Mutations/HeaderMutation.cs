using MLNetLinearize.Onnx;

namespace MLNetLinearize.Fuzz.Mutations;

/// <summary>Versions of the format and of operator sets, functions, and what is said of inner tensors.</summary>
internal static class HeaderMutation
{
    public static string Apply(ModelProto model, GraphProto graph, Random random)
    {
        switch (random.Next(7))
        {
            case 0 or 1 or 2 when model.OpsetImport.Count > 0:
                var import = Draws.Of(random, model.OpsetImport);
                import.Version = random.Next(4) == 0 ? Draws.Integer(random) : random.Next(1, 27);
                return $"operator set '{import.Domain}' {import.Version}";
            case 3:
                var domain = Draws.Of(random, ["", "ai.onnx", "ai.onnx.ml", "com.microsoft", "nobody's"]);
                var added = new OperatorSetIdProto { Domain = domain, Version = random.Next(1, 27) };
                model.OpsetImport.Insert(random.Next(model.OpsetImport.Count + 1), added);
                return $"operator set '{added.Domain}' {added.Version} besides";
            case 4:
                model.OpsetImport.Clear();
                return "no operator sets";
            case 5:
                model.IrVersion = Draws.Integer(random);
                return $"format version {model.IrVersion}";
            default:
                var name = Draws.Tensor(graph, random);
                var dims = Enumerable.Range(0, random.Next(4)).Select(_ => (object)Draws.Integer(random)).ToArray();
                graph.ValueInfo.Add(Graph.Value(name, (TensorProto.Types.DataType)Draws.Type(random), dims));
                return $"'{Draws.Shown(name)}' said to be of another type and shape";
        }
    }
}
