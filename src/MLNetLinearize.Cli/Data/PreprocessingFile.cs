using System.Text.Json;

namespace MLNetLinearize.Cli.Data;

/// <summary>
/// Reads a preprocessing file as Hugging Face's image processors save them (<c>preprocessor_config.json</c>), or as a scaler of
/// scikit-learn is written down (<see cref="ScalerFile"/>). Understood are the fields below; a step without its <c>do_…</c> is taken where its values are there. A field that would change the
/// image and is not understood is refused, since leaving it out would explain another image.
/// </summary>
internal static class PreprocessingFile
{
    /// <summary>Fields that say nothing about the image.</summary>
    private static readonly string[] WithoutEffect =
    [
        "image_processor_type", "feature_extractor_type", "processor_class", "_valid_processor_keys", "do_convert_rgb", "data_format", "input_data_format", "return_tensors", "device",
        "disable_grouping", "default_to_square", "model_input_names",
    ];

    private static readonly string[] Steps =
    [
        "do_resize", "size", "resample", "do_center_crop", "crop_size", "do_rescale", "rescale_factor", "do_normalize", "image_mean", "image_std",
    ];

    public static InputPreprocessing Read(string file)
    {
        var text = TextFile.Read("--preprocessing", file);
        try
        {
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { AllowDuplicateProperties = false });
            return Read(file, document.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new InputException($"--preprocessing: '{file}' is not a readable preprocessing file: {Names.Reason(e)} Expected one JSON object with the fields of a Hugging Face image processor or of a scaler of scikit-learn.");
        }
    }

    private static InputPreprocessing Read(string file, JsonElement root)
    {
        var fields = root.EnumerateObject().Where(p => p.Value.ValueKind != JsonValueKind.Null).ToDictionary(p => p.Name, p => p.Value);
        if (ScalerFile.Is(fields)) return ScalerFile.Read(file, fields);
        // Steps that are switched off do nothing, whatever they are.
        var unknown = fields.Keys.Except(WithoutEffect).Except(Steps).FirstOrDefault(name => !(name.StartsWith("do_", StringComparison.Ordinal) && fields[name].ValueKind == JsonValueKind.False));
        if (unknown is not null) throw new InputException($"--preprocessing: '{file}' has the field '{Names.Short(unknown)}', which is not understood. Understood: {string.Join(", ", Steps)}. Remove it if it does not change the images.");
        return new()
        {
            Scale = Does("do_rescale", "rescale_factor") ? Rescale() : Scale.One,
            Mean = Does("do_normalize", "image_mean") ? Numbers("image_mean", none: 0) : [],
            Std = Does("do_normalize", "image_std") ? Numbers("image_std", none: 1) : [],
            Size = Does("do_resize", "size") ? Size() : null,
            Crop = Does("do_center_crop", "crop_size") ? Crop() : null,
        };

        bool Does(string step, string value) => fields.TryGetValue(step, out var does) ? does.GetBoolean() : fields.ContainsKey(value);

        Scale Rescale()
        {
            var factor = fields.TryGetValue("rescale_factor", out var given) ? given.GetDouble() : 1.0 / 255;
            if (!(Math.Abs(factor) > 0) || !double.IsFinite(factor)) throw Wrong("rescale_factor", "a number other than 0");
            // 1/255 as a decimal fraction divides once, as --scale 1/255 does.
            return Math.Abs(factor * 255 - 1) < 1e-12 ? new(1, 255) : new(factor, 1);
        }

        double[] Numbers(string name, double none)
        {
            if (!fields.TryGetValue(name, out var given)) throw Wrong(name, "numbers, one a channel, since do_normalize is true");
            double[] numbers = given.ValueKind == JsonValueKind.Array ? [.. given.EnumerateArray().Select(e => e.GetDouble())] : [given.GetDouble()];
            return numbers.Length > 0 && numbers.All(double.IsFinite) && (none == 0 || !numbers.Contains(0)) ? numbers : throw Wrong(name, "numbers, one a channel");
        }

        ImageSize Size()
        {
            var method = fields.TryGetValue("resample", out var resample) ? Method(resample) : ResizeMethod.Linear;
            if (!fields.TryGetValue("size", out var size)) throw Wrong("size", "a size, since do_resize is true");
            if (size.ValueKind == JsonValueKind.Number && Length(size) is { } side) return new(side, side, null, method);
            if (Edge(size, "height") is { } h && Edge(size, "width") is { } w && size.EnumerateObject().Count() == 2) return new(h, w, null, method);
            return Edge(size, "shortest_edge") is { } edge && size.EnumerateObject().Count() == 1 ? new(null, null, edge, method) : throw Wrong("size", "a number, {height, width} or {shortest_edge}");
        }

        (int, int) Crop()
        {
            if (!fields.TryGetValue("crop_size", out var size)) throw Wrong("crop_size", "a size, since do_center_crop is true");
            if (size.ValueKind == JsonValueKind.Number && Length(size) is { } side) return (side, side);
            return Edge(size, "height") is { } h && Edge(size, "width") is { } w ? (h, w) : throw Wrong("crop_size", "a number or {height, width}");
        }

        // The numbers are Pillow's: 0 nearest, 2 bilinear, 3 bicubic.
        ResizeMethod Method(JsonElement resample) => resample.ValueKind == JsonValueKind.Number && resample.GetInt32() is var number
            ? number switch { 0 => ResizeMethod.Nearest, 2 => ResizeMethod.Linear, 3 => ResizeMethod.Cubic, _ => throw Wrong("resample", "0 (nearest), 2 (bilinear) or 3 (bicubic)") }
            : throw Wrong("resample", "0 (nearest), 2 (bilinear) or 3 (bicubic)");

        static int? Edge(JsonElement size, string name) => size.ValueKind == JsonValueKind.Object && size.TryGetProperty(name, out var edge) ? Length(edge) : null;

        static int? Length(JsonElement length) => length.GetInt32() is > 0 and var pixels ? pixels : null;

        InputException Wrong(string field, string expected) => new($"--preprocessing: '{file}', field '{field}'{(fields.TryGetValue(field, out var given) ? $" is {Names.Short(given.GetRawText().ReplaceLineEndings(" "))}" : " is missing")}; expected {expected}.");
    }
}
