using System.Text.Json;

namespace MLNetLinearize.Cli.Data;

/// <summary>
/// What a scaler of scikit-learn learned, as JSON of its attributes: <c>json.dumps({k: v.tolist() if hasattr(v, "tolist") else v for k, v in
/// vars(scaler).items()})</c>. StandardScaler: (x − mean_) / scale_; RobustScaler: (x − center_) / scale_; MaxAbsScaler: x / scale_;
/// MinMaxScaler: x · scale_ + min_.
/// </summary>
internal static class ScalerFile
{
    private static readonly string[] Numbers = ["mean_", "scale_", "center_", "min_"];

    /// <summary>Fields that the ones above were made of, or that say nothing of the values.</summary>
    private static readonly string[] WithoutEffect =
    [
        "with_mean", "with_std", "with_centering", "with_scaling", "quantile_range", "unit_variance", "copy", "var_", "n_samples_seen_", "n_features_in_", "feature_names_in_", "feature_range",
        "data_min_", "data_max_", "data_range_", "max_abs_", "clip", "_sklearn_output_config",
    ];

    /// <summary>Whether a file's fields are a scaler's.</summary>
    public static bool Is(IReadOnlyDictionary<string, JsonElement> fields) => Numbers.Any(fields.ContainsKey);

    public static InputPreprocessing Read(string file, IReadOnlyDictionary<string, JsonElement> fields)
    {
        if (fields.Keys.Except(Numbers).Except(WithoutEffect).FirstOrDefault() is { } unknown)
            throw new InputException($"--preprocessing: '{file}' has the field '{Names.Short(unknown)}', which is not understood among the attributes of a scaler. Understood: {string.Join(", ", Numbers)}. Remove it if it does not change the values.");
        if (fields.TryGetValue("clip", out var clip) && clip.ValueKind == JsonValueKind.True)
            throw new InputException($"--preprocessing: '{file}' is of a scaler that cuts values off (clip), which is not done here. Scale the data before.");
        var (shift, scale, least) = (Of("mean_") ?? Of("center_"), Of("scale_"), Of("min_"));
        if (least is not null && scale is null) throw new InputException($"--preprocessing: '{file}' has min_ but no scale_, which a MinMaxScaler multiplies by before it adds min_.");
        if (scale?.Any(s => !double.IsNormal(s)) == true) throw new InputException($"--preprocessing: '{file}', field 'scale_': expected numbers other than 0, and not so close to it that nothing can be divided by them.");
        string[]? names = fields.TryGetValue("feature_names_in_", out var given) ? [.. given.EnumerateArray().Select(e => e.GetString() ?? "")] : null;
        if (names is not null && names.Distinct().Count() < names.Length) throw new InputException($"--preprocessing: '{file}', field 'feature_names_in_': expected names that differ.");
        var lengths = new[] { shift?.Length, scale?.Length, least?.Length, names?.Length }.OfType<int>().Distinct().ToList();
        if (lengths.Count > 1) throw new InputException($"--preprocessing: '{file}' has fields of {string.Join(" and ", lengths)} features. Expected as many in each.");
        return least is null
            ? new() { Mean = shift ?? [], Std = scale ?? [], Features = names }
            : new() { Mean = [.. least.Zip(scale!, (m, s) => -m / s)], Std = [.. scale!.Select(s => 1 / s)], Features = names };

        double[]? Of(string name)
        {
            if (!fields.TryGetValue(name, out var value)) return null;
            double[] numbers = [.. value.EnumerateArray().Select(e => e.GetDouble())];
            return numbers.Length > 0 && numbers.All(double.IsFinite) ? numbers : throw new InputException($"--preprocessing: '{file}', field '{name}': expected numbers, one a feature.");
        }
    }
}
