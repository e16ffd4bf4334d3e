using MLNetLinearize.Linearization;

namespace MLNetLinearize.Cli.Output;

/// <summary>
/// A piece of a network as a person reads it: one node; a block, whose nodes lie between two tensors that everything
/// passes through; or pieces that repeat.
/// </summary>
/// <param name="Name">The node's name, or what the names of its nodes have in common.</param>
/// <param name="Nodes">Its nodes, once.</param>
/// <param name="Parts">What it consists of; empty for a single node.</param>
/// <param name="Times">How often it follows upon itself.</param>
internal sealed record NetworkPart(string Name, IReadOnlyList<NodeReport> Nodes, IReadOnlyList<NetworkPart> Parts, int Times = 1)
{
    public long MultiplyAdds => Times * Nodes.Sum(n => n.MultiplyAdds);

    /// <summary>The least simple rule among its nodes.</summary>
    public string Rule => Nodes.Select(n => n.Rule).MaxBy(r => Array.IndexOf(Rules, r))!;

    /// <summary>The rule, and how what is not affine on its piece became so.</summary>
    public string RuleAndReading => string.Join(", ", Nodes.Where(n => n.Rule == Rule).Select(n => n.Reading).Where(r => r is not (Readings.Exact or Readings.Constant)).Distinct().Prepend(Rule));

    private static readonly string[] Rules = ["constant", "linear", "piecewise linear", "product", "smooth"];

    /// <summary>Two parts of the same signature do the same to tensors of the same shapes, at the same cost.</summary>
    private string Signature => string.Join('|', Nodes.Select(n => $"{n.Operator}{Words.Shape(n.OutputShape)}{n.Rule}{n.Reading}{n.MultiplyAdds}"));

    /// <summary>The parts of a network, those that repeat told once.</summary>
    public static IReadOnlyList<NetworkPart> Of(LinearizationGraph graph) => Fold([.. Pieces(graph)]);

    /// <summary>The nodes that what is explained passes through, cut into parts wherever one tensor carries everything.</summary>
    public static IReadOnlyList<NetworkPart> Pieces(LinearizationGraph graph)
    {
        var nodes = graph.Report.Nodes.Where(n => n.Rule != "constant").ToList();
        var made = nodes.SelectMany(n => n.Outputs).Concat(graph.ExplainedInputs.Select(i => i.Name)).ToHashSet();
        var lastRead = new Dictionary<string, int> { [graph.Report.ExplainedOutput] = nodes.Count };
        for (var i = 0; i < nodes.Count; i++)
            foreach (var tensor in nodes[i].Inputs.Where(made.Contains)) lastRead[tensor] = Math.Max(i, lastRead.GetValueOrDefault(tensor));

        var (parts, block, open) = (new List<NetworkPart>(), new List<NodeReport>(), graph.ExplainedInputs.Select(i => i.Name).ToHashSet());
        for (var i = 0; i < nodes.Count; i++)
        {
            block.Add(nodes[i]);
            open.UnionWith(nodes[i].Outputs);
            open.RemoveWhere(t => lastRead.GetValueOrDefault(t, -1) <= i);
            if (open.Count > 1 && i < nodes.Count - 1) continue;
            parts.Add(OfBlock(block));
            block = [];
        }
        return parts;
    }

    private static NetworkPart OfBlock(List<NodeReport> nodes)
    {
        if (nodes.Count == 1) return new(nodes[0].Name, nodes, []);
        var common = Common(nodes);
        return new(common.Length > 0 ? common : "block", nodes, Fold([.. nodes.Select(n => new NetworkPart(n.Name[common.Length..].TrimStart('/'), [n], []))]));
    }

    /// <summary>Makes one part of parts that repeat, where that saves two lines or more.</summary>
    private static List<NetworkPart> Fold(List<NetworkPart> parts)
    {
        var (folded, signatures) = (new List<NetworkPart>(), parts.ConvertAll(p => p.Signature));
        for (var i = 0; i < parts.Count;)
        {
            var (period, times) = (1, 1);
            for (var p = 1; 2 * p <= parts.Count - i; p++)
                if (Repeats(signatures, i, p) is var r && p * r > period * times) (period, times) = (p, r);
            if (period * (times - 1) < 2) (period, times) = (1, 1);
            folded.Add(times == 1 ? parts[i] : Repeated(parts.GetRange(i, period * times), times));
            i += period * times;
        }
        return folded;
    }

    private static NetworkPart Repeated(List<NetworkPart> parts, int times)
    {
        var once = parts[..(parts.Count / times)];
        var name = $"{once[0].Name} … {parts[^1].Name}";
        return once.Count == 1 ? once[0] with { Name = name, Times = times } : new(name, [.. once.SelectMany(p => p.Nodes)], once, times);
    }

    private static int Repeats(List<string> signatures, int start, int period)
    {
        var times = 1;
        while (start + (times + 1) * period <= signatures.Count && Enumerable.Range(start, period).All(i => signatures[i] == signatures[i + times * period])) times++;
        return times;
    }

    /// <summary>The path that all names start with, such as <c>/layer1/layer1.0</c>.</summary>
    private static string Common(List<NodeReport> nodes)
    {
        var first = nodes[0].Name;
        var length = nodes.Min(n => n.Name.Zip(first).TakeWhile(c => c.First == c.Second).Count());
        return first[..Math.Max(0, first[..length].LastIndexOf('/'))];
    }
}
