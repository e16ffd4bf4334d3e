using System.Text.Json;
using MLNetLinearize.Onnx;
using MLNetLinearize.Rules;

namespace MLNetLinearize.Linearization;

/// <summary>How nodes became affine, in words, and the same in the metadata of the graph, for whoever finds the file later.</summary>
internal static class Readings
{
    public const string Constant = "constant";
    public const string Exact = "exact";
    public const string Tangent = "tangent";
    public const string Frozen = "frozen";
    public const string FrozenGate = "frozen gate";
    public const string TangentInstead = "tangent instead of frozen";

    /// <summary>Key of the metadata that names the <see cref="Nonlinearity"/>.</summary>
    public const string ModeKey = "mlnetlinearize.nonlinearity";

    /// <summary>Key of the metadata that lists, as JSON, the nodes of each reading but the exact ones.</summary>
    public const string NodesKey = "mlnetlinearize.readings";

    /// <summary>The reading of a node that is neither constant nor affine on its piece.</summary>
    public static string Of(Vjp vjp) => vjp.Mode == Nonlinearity.Tangent ? Tangent : vjp.TookTangent ? TangentInstead : vjp.HeldFactor ? FrozenGate : Frozen;

    public static void Write(ModelProto model, CompilationReport report)
    {
        var byReading = report.Nodes.Where(n => n.Reading != Exact).GroupBy(n => n.Reading).ToDictionary(g => g.Key, g => g.Select(n => n.Name));
        foreach (var (key, value) in new[] { (ModeKey, report.Nonlinearity.ToString()), (NodesKey, JsonSerializer.Serialize(byReading)) })
        {
            if (model.MetadataProps.FirstOrDefault(p => p.Key == key) is { } old) model.MetadataProps.Remove(old);
            model.MetadataProps.Add(new StringStringEntryProto { Key = key, Value = value });
        }
    }
}
