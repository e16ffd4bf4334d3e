using MLNetLinearize.Fuzz.Mutations;
using MLNetLinearize.Onnx;

namespace MLNetLinearize.Fuzz;

/// <summary>A model with a few things wrong, or only unusual.</summary>
/// <param name="Bytes">The file.</param>
/// <param name="Description">Of what it was made, and how.</param>
internal sealed record Mutant(byte[] Bytes, string Description)
{
    private const int MostChanges = 3;

    /// <summary>The same seed and corpus draw the same mutant.</summary>
    public static Mutant Draw(Corpus corpus, int seed)
    {
        var random = new Random(seed);
        var (name, bytes) = corpus.Draw(random);
        var changes = new List<string>();
        if (random.Next(6) > 0)
        {
            var model = ModelProto.Parser.ParseFrom(bytes);
            for (var i = Changes(random); i > 0; i--) changes.Add(Change(model, random));
            bytes = Corpus.Bytes(model);
        }
        else
        {
            for (var i = Changes(random); i > 0; i--) changes.Add(ByteMutation.Apply(ref bytes, random));
        }
        return new(bytes, $"{name}: {string.Join("; ", changes)}");
    }

    /// <summary>Most mutants have one: what is wrong in many ways is refused for the first.</summary>
    private static int Changes(Random random) => random.Next(3) > 0 ? 1 : random.Next(2, MostChanges + 1);

    private static string Change(ModelProto model, Random random)
    {
        var graph = Draws.Graph(model, random);
        return random.Next(10) switch
        {
            0 or 1 or 2 => NodeMutation.Apply(graph, random),
            3 or 4 => AttributeMutation.Apply(graph, random),
            5 or 6 => TensorMutation.Apply(graph, random),
            7 => InterfaceMutation.Apply(graph, random),
            8 => NestingMutation.Apply(model, graph, random),
            _ => HeaderMutation.Apply(model, graph, random),
        };
    }
}
