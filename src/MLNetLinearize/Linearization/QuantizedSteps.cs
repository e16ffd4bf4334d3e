using Microsoft.ML.OnnxRuntime;
using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Runtime;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Linearization;

/// <summary>
/// Tells whether scores of a quantized network differ by nothing but steps: sums in another order differ in their last digit, and where a
/// number lies that near the edge of a step, it is rounded to the other side, and everything behind it moves. So each quantized tensor is
/// made by the model itself out of the linearization graph's own quantized tensors before it: it must be the same but for numbers at
/// an edge, and so must the score be that is made of them.
/// </summary>
internal sealed class QuantizedSteps : IDisposable
{
    /// <summary>How near an edge float32 cannot tell on which side a number lies, relative to the tensor's largest: sums of some thousand terms.</summary>
    private const float Nearness = 4e-6f;

    /// <summary>Largest difference of scores that are made of the same quantized tensors, relative to the row's largest.</summary>
    private const double Tolerance = 1e-4;

    private readonly ReferenceModel reference;
    private readonly List<NodeProto> steps;
    private readonly Lazy<ForwardRun> forward;
    private readonly Lazy<Checks> checks;

    private QuantizedSteps(ReferenceModel reference, LinearizationGraph graph, List<NodeProto> steps, Dictionary<string, DataType> types)
    {
        (this.reference, this.steps) = (reference, steps);
        forward = new(() => new(graph, steps.Select(n => GraphNames.NetworkPrefix + n.Output[0])));
        checks = new(() => new(reference, steps, types));
    }

    /// <summary>Null where the model does not quantize.</summary>
    public static QuantizedSteps? Of(ReferenceModel reference, LinearizationGraph graph)
    {
        var types = QuantizedTypes.All(reference.Graph.Nodes, reference.Graph.Initializers.Values);
        var made = graph.Model.Graph.Node.SelectMany(n => n.Output).ToHashSet();
        var steps = reference.Graph.Nodes.Where(n => IsStep(n, types) && made.Contains(GraphNames.NetworkPrefix + n.Output[0])).ToList();
        return steps.Count > 0 ? new(reference, graph, steps, types) : null;
    }

    /// <param name="row">The model's inputs.</param>
    /// <param name="score">The linearization graph's score of them.</param>
    /// <returns>How many of how many quantized numbers lie at an edge and are a step off; null where they do not explain the difference.</returns>
    public (long Count, long All)? Explain(IReadOnlyDictionary<string, Array> row, ReadOnlySpan<float> score)
    {
        var ours = steps.Zip(forward.Value.RunShaped(row)).ToDictionary(p => p.First.Output[0], p => (Values: p.Second.Value, p.Second.Shape));
        var (found, last) = checks.Value.Run(row, ours);
        var (count, all) = (0L, 0L);
        foreach (var node in steps)
        {
            var (given, own) = (ours[node.Output[0]].Values, found[node.Output[0]]);
            if (given.Length != own.Own.Length) return null;
            all += given.Length;
            for (var i = 0; i < given.Length; i++)
            {
                if (given[i] == own.Own[i]) continue;
                count++;
                if (given[i] < own.Low[i] || given[i] > own.High[i]) return null;
            }
        }
        var shown = reference.Shown(score);
        var scale = last.Where(double.IsFinite).Select(Math.Abs).DefaultIfEmpty().Max();
        return last.Zip(shown).All(p => p.First == p.Second || Math.Abs(p.First - p.Second) <= Tolerance * scale) ? (count, all) : null;
    }

    public void Dispose()
    {
        if (forward.IsValueCreated) forward.Value.Dispose();
        if (checks.IsValueCreated) checks.Value.Dispose();
    }

    private static bool IsStep(NodeProto node, Dictionary<string, DataType> types) =>
        node.Output.Count > 0 && types.ContainsKey(node.Output[0]) && (node.OpType is "QuantizeLinear" or "DynamicQuantizeLinear" or "QLinearConv" or "QLinearMatMul" || node.OpType == "Cast" && !types.ContainsKey(node.Input[0]));

    /// <summary>The model, cut at its quantized tensors: it reads those that it is given, and makes each anew, as well as the two to which rounding may lead.</summary>
    private sealed class Checks : IDisposable
    {
        private readonly InferenceSession session;
        private readonly ReferenceModel reference;
        private readonly List<NodeProto> steps;
        private readonly Graph graph;

        public Checks(ReferenceModel reference, List<NodeProto> steps, Dictionary<string, DataType> types)
        {
            (this.reference, this.steps, graph) = (reference, steps, reference.Graph.Clone());
            var given = steps.ToDictionary(n => n.Output[0], n => $"{n.Output[0]}/given");
            foreach (var node in graph.Nodes)
                for (var i = 0; i < node.Input.Count; i++)
                    if (given.TryGetValue(node.Input[i], out var name)) node.Input[i] = name;
            var before = new List<NodeProto>();
            foreach (var (tensor, name) in given)
            {
                graph.Inputs.Add(new ValueInfoProto { Name = $"{name}/float", Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)DataType.Float } } });
                before.Add(Nodes.Create("Cast", [$"{name}/float"], [name], $"{name}/node", ("to", (long)types[tensor])));
            }
            graph.Nodes.InsertRange(0, before);
            foreach (var node in graph.Nodes.Where(n => given.ContainsKey(n.Output.FirstOrDefault() ?? "")).ToList()) AddChecks(node);
            session = Sessions.Create(graph.ToModel(), new LinearizeOptions { Threads = reference.Options.Threads }, GraphOptimizationLevel.ORT_DISABLE_ALL);
        }

        /// <summary>What the model makes of the quantized tensors that it is given: each of them anew, and the score.</summary>
        public (Dictionary<string, (float[] Own, float[] Low, float[] High)> Steps, double[] Score) Run(IReadOnlyDictionary<string, Array> row, Dictionary<string, (float[] Values, long[] Shape)> given)
        {
            string[] names = [.. graph.Inputs.Select(i => i.Name)];
            var values = graph.Inputs.Select(i => Value(i, row, given)).ToList();
            try
            {
                using var options = new RunOptions();
                string[] fetched = [.. graph.Outputs.Select(o => o.Name)];
                using var results = session.Run(options, names, values, fetched);
                var found = fetched.Zip(results).ToDictionary(p => p.First, p => p.Second);
                float[] Of(string name) => found[name].GetTensorDataAsSpan<float>().ToArray();
                var made = steps.ToDictionary(n => n.Output[0], n =>
                {
                    var own = Of($"{n.Output[0]}/as float");
                    return found.ContainsKey($"{n.Output[0]}/low/as float")
                        ? (own, Of($"{n.Output[0]}/low/as float"), Of($"{n.Output[0]}/high/as float"))
                        : (own, [.. own.Select(v => v - 1)], [.. own.Select(v => v + 1)]);
                });
                return (made, ReferenceModel.Numbers(found[reference.Output]));
            }
            finally
            {
                foreach (var value in values) value.Dispose();
            }
        }

        public void Dispose() => session.Dispose();

        private OrtValue Value(ValueInfoProto input, IReadOnlyDictionary<string, Array> row, Dictionary<string, (float[] Values, long[] Shape)> given)
        {
            const string suffix = "/given/float";
            if (input.Name.EndsWith(suffix, StringComparison.Ordinal) && given.TryGetValue(input.Name[..^suffix.Length], out var tensor)) return OrtArrays.Wrap(tensor.Values, tensor.Shape);
            var plan = reference.Inputs.First(i => i.Name == input.Name);
            return OrtArrays.Wrap(row[input.Name], plan.Dims);
        }

        /// <summary>What the node makes, and, where it quantizes a float tensor, what it would make of that tensor moved either way by as much as rounding may.</summary>
        private void AddChecks(NodeProto node)
        {
            var name = node.Output[0];
            Widened(name);
            if (node.OpType is not ("QuantizeLinear" or "Cast")) return;
            var far = Add("ReduceMax", $"{name}/largest", [Add("Abs", $"{name}/sizes", [node.Input[0]])], ("keepdims", 0L));
            var near = Add("Mul", $"{name}/near", [far, graph.AddInitializer(Tensors.Of($"{name}/nearness", [Nearness]))]);
            foreach (var (op, side) in new[] { ("Sub", "low"), ("Add", "high") })
            {
                var moved = node.Clone();
                moved.Name = $"{name}/{side}/node";
                moved.Input[0] = Add(op, $"{name}/{side}/of", [node.Input[0], near]);
                moved.Output[0] = $"{name}/{side}";
                graph.Nodes.Add(moved);
                Widened(moved.Output[0]);
            }
        }

        private string Add(string op, string output, string[] inputs, params ReadOnlySpan<(string, object)> attributes)
        {
            graph.Nodes.Add(Nodes.Create(op, inputs, [output], $"{output}/node", attributes));
            return output;
        }

        private void Widened(string name) => graph.Outputs.Add(new ValueInfoProto { Name = Add("Cast", $"{name}/as float", [name], ("to", (long)DataType.Float)) });
    }
}
