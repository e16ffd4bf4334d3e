using System.Text.Json.Nodes;

namespace MLNetLinearize.Cli.Output;

/// <summary>What <c>inspect</c> tells, for programs.</summary>
internal static class InspectJson
{
    public static JsonObject Of(string file, LinearizationGraph graph, bool listTensors)
    {
        var json = Network(file, graph);
        if (listTensors) json["tensors"] = TensorTable.ToJson(graph);
        return json;
    }

    public static JsonObject Of(string file, UnsupportedOperatorException refusal)
    {
        var json = Refused(file, OptionWords.Of(refusal.Message));
        json["nodes"] = new JsonArray([.. refusal.Nodes.Select(n => (JsonNode)new JsonObject { ["name"] = n.Name, ["operator"] = n.Operator, ["opset"] = n.Opset, ["reason"] = n.Reason, ["remedy"] = OptionWords.Of(n.Remedy) })]);
        return json;
    }

    public static JsonObject Refused(string file, string message) => new() { ["model"] = file, ["linearizable"] = false, ["message"] = message };

    private static JsonObject Network(string file, LinearizationGraph graph) => new()
    {
        ["model"] = file,
        ["linearizable"] = true,
        ["inputs"] = new JsonArray([.. graph.Inputs.Select(i => (JsonNode)new JsonObject { ["name"] = i.Name, ["type"] = i.ElementType.Name, ["rowShape"] = Shape(i.RowShape), ["explained"] = i.IsExplained })]),
        ["explainedOutput"] = graph.Report.ExplainedOutput,
        ["outputs"] = graph.OutputCount,
        ["cutActivation"] = graph.Report.CutActivation,
        ["rowByRowReason"] = graph.Report.RowByRowReason,
        ["piecewiseLinear"] = graph.Report.IsPiecewiseLinear,
        ["originalOpset"] = graph.Report.OriginalOpset,
        ["opset"] = graph.Report.Opset,
        ["notes"] = new JsonArray([.. graph.Report.Notes.Select(n => (JsonNode)n)]),
        ["nodes"] = new JsonArray([.. graph.Report.Nodes.Select(n => (JsonNode)new JsonObject { ["name"] = n.Name, ["operator"] = n.Operator, ["outputShape"] = Shape(n.OutputShape), ["rule"] = n.Rule, ["multiplyAdds"] = n.MultiplyAdds })]),
    };

    private static JsonArray Shape(IEnumerable<int> shape) => new([.. shape.Select(d => (JsonNode)d)]);
}
