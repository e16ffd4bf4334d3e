namespace MLNetLinearize.Fuzz.Mutations;

/// <summary>Damage that knows nothing of the format: bytes flipped, put in, left out, repeated, and files cut short.</summary>
internal static class ByteMutation
{
    public static string Apply(ref byte[] bytes, Random random)
    {
        if (bytes.Length == 0) return "nothing to damage";
        // The structure stands in front of and between the weights: half of the places are near the ends.
        var at = random.Next(4) switch
        {
            0 => random.Next(Math.Min(bytes.Length, 512)),
            1 => bytes.Length - 1 - random.Next(Math.Min(bytes.Length, 512)),
            _ => random.Next(bytes.Length),
        };
        var length = Math.Min(1 + random.Next(8), bytes.Length - at);
        switch (random.Next(6))
        {
            case 0:
                bytes = [.. bytes];
                bytes[at] ^= (byte)(1 << random.Next(8));
                return $"a bit of byte {at} flipped";
            case 1:
                bytes = [.. bytes];
                random.NextBytes(bytes.AsSpan(at, length));
                return $"{length} bytes from {at} drawn anew";
            case 2:
                var inserted = new byte[length];
                random.NextBytes(inserted);
                bytes = [.. bytes[..at], .. inserted, .. bytes[at..]];
                return $"{length} bytes put in at {at}";
            case 3:
                bytes = [.. bytes[..at], .. bytes[(at + length)..]];
                return $"{length} bytes left out at {at}";
            case 4:
                var piece = Math.Min(1 + random.Next(256), bytes.Length - at);
                bytes = [.. bytes[..(at + piece)], .. bytes[at..]];
                return $"{piece} bytes from {at} repeated";
            default:
                bytes = bytes[..at];
                return $"cut short to {at} bytes";
        }
    }
}
