using MLNetLinearize.Onnx;
using MLNetLinearize.Tests.Rules;

namespace MLNetLinearize.Fuzz;

/// <summary>
/// The models that mutants are made of: the samples' networks, drawn networks and, where there are assets, conformance cases and small networks.
/// </summary>
internal sealed class Corpus
{
    private const long LargestSample = 2_000_000;
    private const long LargestCase = 65_536;

    private readonly string[] sampleModels;
    private readonly string[] cases;

    /// <param name="samples">The repository's folder of samples.</param>
    /// <param name="assets">The folder of assets; null where there is none.</param>
    public Corpus(string samples, string? assets)
    {
        sampleModels = Models(Path.Combine(samples, "models"), "*.onnx", LargestSample);
        string[] Small(string folder, string pattern) => assets is null ? [] : Models(Path.Combine(assets, folder), pattern, LargestCase);
        cases = [.. Small("conformance", "model.onnx"), .. Small("cases", "*.onnx")];
        if (sampleModels.Length == 0)
            throw new DirectoryNotFoundException($"'{samples}' holds no models. Run from the repository's root, or name the folder by --samples.");
    }

    public string Describe() => $"{sampleModels.Length} networks of the samples, {cases.Length} cases of the assets, and drawn networks";

    /// <summary>A model's bytes, and what it is called.</summary>
    public (string Name, byte[] Bytes) Draw(Random random)
    {
        var kind = random.Next(10);
        if (kind < 2) return Read(sampleModels[random.Next(sampleModels.Length)]);
        if (kind < 7 && cases.Length > 0) return Read(cases[random.Next(cases.Length)]);
        var seed = random.Next(100_000);
        return ($"drawn network {seed}", Bytes(new DrawnNet(seed).Model));
    }

    public static byte[] Bytes(ModelProto model)
    {
        using var stream = new MemoryStream();
        using (var coded = new Google.Protobuf.CodedOutputStream(stream, leaveOpen: true)) model.WriteTo(coded);
        return stream.ToArray();
    }

    private static (string Name, byte[] Bytes) Read(string file)
    {
        var folder = Path.GetFileName(Path.GetDirectoryName(file));
        return ($"{folder}/{Path.GetFileName(file)}", File.ReadAllBytes(file));
    }

    /// <summary>In one order on every machine, so that a seed means the same model.</summary>
    private static string[] Models(string folder, string pattern, long largest) => !Directory.Exists(folder) ? [] :
        [.. Directory.EnumerateFiles(folder, pattern, SearchOption.AllDirectories).Where(f => new FileInfo(f).Length < largest).Order(StringComparer.Ordinal)];
}
