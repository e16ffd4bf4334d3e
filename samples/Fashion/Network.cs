using Microsoft.ML.OnnxRuntime;

namespace Fashion;

/// <summary>How photographs become the numbers that the network was trained on: (value of 0 to 255 − mean) · scale, one value for all channels or one per channel, in the network's order of channels.</summary>
internal sealed record Preparation(float[] Mean, float[] Scale, bool IsBgr);

/// <summary>An ONNX file that classifies photographs, and the sizes that a pipeline must know of it.</summary>
/// <param name="IsChannelsLast">Whether the input is [N, height, width, channels], as of TensorFlow, and not [N, channels, height, width].</param>
internal sealed record Network(string File, string Input, string Output, int Channels, int Height, int Width, bool IsChannelsLast, Preparation Preparation, string[] Classes)
{
    private const string First = "[N, 1 or 3, height, width]", Last = "[N, height, width, 1 or 3]";

    /// <summary>The input's shape of one row.</summary>
    public int[] Shape => IsChannelsLast ? [1, Height, Width, Channels] : [1, Channels, Height, Width];

    /// <summary>Reads the sizes from the file; <paramref name="size"/> (height, width) and <paramref name="layout"/> (nchw, nhwc) say what the file leaves open; open channels are taken to be three.</summary>
    /// <exception cref="ArgumentException">The input is no image, or the preparation does not fit it.</exception>
    public static Network Read(string file, string[] classes, Preparation preparation, (int Height, int Width)? size = null, string? layout = null)
    {
        using var session = Open(file);
        if (session.InputMetadata.Count != 1) throw new ArgumentException($"{file} has {session.InputMetadata.Count} inputs ({string.Join(", ", session.InputMetadata.Keys)}); expected one, the photograph.");
        var (input, metadata) = session.InputMetadata.Single();
        var shape = metadata.Dimensions;
        var isLast = layout is null ? shape is [_, not (1 or 3), _, 1 or 3] : layout == "nhwc";
        var channels = shape.Length != 4 ? 0 : isLast ? shape[3] : shape[1];
        if (channels < 0 && layout is not null) channels = 3; // all axes open, as TensorFlow's converters leave them: photographs have colours
        if (metadata.ElementType != typeof(float) || channels is not (1 or 3))
            throw new ArgumentException($"{file}: input '{input}' is {metadata.ElementType.Name} [{string.Join(", ", shape.Select(d => d < 0 ? "?" : $"{d}"))}]; expected Single {layout switch
            {
                "nchw" => First,
                "nhwc" => Last,
                _ => $"{First} or {Last}",
            }}{(layout is not null ? $", as --layout is {layout}" : channels < 0 ? ". Where the channels are left open, state --layout" : "")}.");
        var (height, width) = isLast ? (shape[1], shape[2]) : (shape[2], shape[3]);
        if (height > 0 && width > 0 && size is { } asked && asked != (height, width))
            throw new ArgumentException($"{file}: input '{input}' takes images of {height}x{width}, not of {asked.Height}x{asked.Width}. Leave --size out.");
        if (height <= 0 || width <= 0)
            (height, width) = size ?? throw new ArgumentException($"{file}: input '{input}' leaves the size of images open. State it, for example --size 224x224.");
        return new Network(file, input, session.OutputMetadata.Keys.First(), channels, height, width, isLast, Fitted(preparation, channels, isLast), classes);
    }

    /// <summary>The name of a class, or its number where names are missing.</summary>
    public string ClassName(int index) => index < Classes.Length ? Classes[index] : $"class {index}";

    /// <summary>Refuses names that are not as many as the scores.</summary>
    /// <exception cref="ArgumentException">There are names, but fewer or more.</exception>
    public void CheckNames(int scores)
    {
        if (Classes.Length > 0 && Classes.Length != scores)
            throw new ArgumentException($"There are {Classes.Length} names of classes, but {File} has {scores} scores in '{Output}'. Give --labels a file of {scores} lines, the name of score 0 first.");
    }

    /// <summary>The class of that name.</summary>
    public int Class(string name) => Array.IndexOf(Classes, name);

    /// <summary>The class that a file's name tells, as in <c>000_ankle-boot</c>; null where it tells none.</summary>
    public int? Truth(string name) =>
        Array.FindIndex(Classes, c => name.EndsWith("_" + c.ToLowerInvariant().Replace(' ', '-').Replace('/', '-'), StringComparison.OrdinalIgnoreCase)) is >= 0 and var found ? found : null;

    /// <summary>Height and width of a text such as 224x224.</summary>
    /// <exception cref="ArgumentException">The text is another.</exception>
    public static (int Height, int Width)? Size(string? text) =>
        text is null ? null
        : text.Split('x') is [var h, var w] && int.TryParse(h, out var height) && int.TryParse(w, out var width) && height > 0 && width > 0 ? (height, width)
        : throw new ArgumentException($"--size is '{text}'; expected HEIGHTxWIDTH, for example 224x224.");

    private static InferenceSession Open(string file)
    {
        if (!System.IO.File.Exists(file)) throw new ArgumentException($"There is no network {file}.");
        try
        {
            return new InferenceSession(file);
        }
        catch (OnnxRuntimeException e)
        {
            throw new ArgumentException($"{file} is no ONNX network that ONNX Runtime takes. {e.Message}", e);
        }
    }

    /// <summary>One mean and one scale per channel.</summary>
    private static Preparation Fitted(Preparation given, int channels, bool isLast)
    {
        float[] Spread(string option, float[] values) =>
            values.Length == 1 ? [.. Enumerable.Repeat(values[0], channels)]
            : values.Length != channels ? throw new ArgumentException($"{option} has {values.Length} values; the network's images have {(channels == 1 ? "one channel. Give one value" : "3 channels. Give one value, or 3")}.")
            : isLast && values.Distinct().Count() > 1 ? throw new ArgumentException($"{option} differs by channel, and the network takes interleaved channels: ML.NET's ExtractPixels knows one value for all of them. Give one value.")
            : values;
        return given with { Mean = Spread("--mean", given.Mean), Scale = Spread("--scale", given.Scale) };
    }
}
