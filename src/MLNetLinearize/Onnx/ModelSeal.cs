using System.Security.Cryptography;
using Google.Protobuf;

namespace MLNetLinearize.Onnx;

/// <summary>
/// A hash of a model in the model's own metadata, which shows whether the file is as it was written. It is the SHA-256 of the
/// model's bytes without that entry, in hexadecimal. It tells of accidents, not of forgers: who changes the model can seal it anew.
/// </summary>
internal static class ModelSeal
{
    /// <summary>Key of the metadata.</summary>
    public const string Key = "mlnetlinearize.sha256";

    /// <summary>Seals a model in place of any seal that it has.</summary>
    public static void Put(ModelProto model)
    {
        Remove(model);
        model.MetadataProps.Add(new StringStringEntryProto { Key = Key, Value = Hash(model) });
    }

    /// <summary>Takes the seal off a model.</summary>
    /// <returns>What it says, null where there is none, and the hash of the model without it: a sound model has both alike.</returns>
    public static (string? Expected, string Actual) Take(ModelProto model)
    {
        // Two seals are none, and match no hash.
        var expected = model.MetadataProps.Any(IsSeal) ? string.Join(", ", model.MetadataProps.Where(IsSeal).Select(p => p.Value)) : null;
        Remove(model);
        return (expected, Hash(model));
    }

    /// <summary>Whether a model has a seal, sound or not.</summary>
    public static bool Has(ModelProto model) => model.MetadataProps.Any(IsSeal);

    private static bool IsSeal(StringStringEntryProto entry) => entry.Key == Key;

    private static void Remove(ModelProto model)
    {
        foreach (var seal in model.MetadataProps.Where(IsSeal).ToList()) model.MetadataProps.Remove(seal);
    }

    private static string Hash(ModelProto model)
    {
        using var hash = SHA256.Create();
        using (var stream = new CryptoStream(Stream.Null, hash, CryptoStreamMode.Write)) model.WriteTo(stream);
        return Convert.ToHexString(hash.Hash!).ToLowerInvariant();
    }
}
