using MLNetLinearize.Onnx;

namespace MLNetLinearize.Canonicalization;

/// <summary>
/// The activations of a recurrent cell, f, g, h in the words of the ONNX specification, for each direction. Those that have
/// parameters take them from <c>activation_alpha</c> and <c>activation_beta</c> in turn.
/// </summary>
internal sealed class RecurrentActivations
{
    /// <summary>Names, and the default parameters of those that have any.</summary>
    private static readonly Dictionary<string, (float? Alpha, float? Beta)> Known = new(StringComparer.OrdinalIgnoreCase)
    {
        ["Sigmoid"] = default,
        ["Tanh"] = default,
        ["Relu"] = default,
        ["Softsign"] = default,
        ["Softplus"] = default,
        ["LeakyRelu"] = (0.01f, null),
        ["ThresholdedRelu"] = (1, null),
        ["Elu"] = (1, null),
        ["HardSigmoid"] = (0.2f, 0.5f),
        ["ScaledTanh"] = (1, 1),
        ["Affine"] = (1, 0),
    };

    private readonly List<(string Name, float? Alpha, float? Beta)> functions;
    private readonly int perDirection;

    private RecurrentActivations(List<(string, float?, float?)> functions, int perDirection) => (this.functions, this.perDirection) = (functions, perDirection);

    /// <exception cref="ExpansionException">The specification knows no such activation.</exception>
    public static RecurrentActivations Of(NodeProto cell)
    {
        string[] defaults = cell.OpType switch { "LSTM" => ["Sigmoid", "Tanh", "Tanh"], "GRU" => ["Sigmoid", "Tanh"], _ => ["Tanh"] };
        var names = cell.Find("activations") is { Strings.Count: > 0 } given ? given.Strings.Select(s => s.ToStringUtf8()) : [.. defaults, .. defaults];
        var (alphas, betas) = (Parameters(cell, "activation_alpha"), Parameters(cell, "activation_beta"));
        List<(string, float?, float?)> functions = [];
        foreach (var name in names)
        {
            if (!Known.TryGetValue(name, out var parameters)) throw new ExpansionException($"the ONNX specification knows no activation '{name}' of a cell", $"use one of {string.Join(", ", Known.Keys)}");
            functions.Add((Known.Keys.First(k => k.Equals(name, StringComparison.OrdinalIgnoreCase)), Next(alphas, parameters.Alpha), Next(betas, parameters.Beta)));
        }
        return new(functions, defaults.Length);
    }

    /// <summary>Writes the <paramref name="k"/>-th activation of a direction.</summary>
    public string Write(Expansion to, int k, int direction, string x)
    {
        var (name, alpha, beta) = functions[direction * perDirection + k];
        return name switch
        {
            "Affine" => to.Add(to.Scaled(x, alpha!.Value), to.Scalar(beta!.Value)),
            "ScaledTanh" => to.Scaled(to.Op("Tanh", [to.Scaled(x, beta!.Value)]), alpha!.Value),
            "HardSigmoid" => to.Op(name, [x], ("alpha", alpha!.Value), ("beta", beta!.Value)),
            _ => alpha is { } a ? to.Op(name, [x], ("alpha", a)) : to.Op(name, [x]),
        };
    }

    private static Queue<float> Parameters(NodeProto cell, string attribute) => new(cell.Find(attribute)?.Floats ?? []);

    /// <summary>The next parameter given, or the default, of a function that has one.</summary>
    private static float? Next(Queue<float> given, float? otherwise) => otherwise is not null && given.TryDequeue(out var value) ? value : otherwise;
}
