using Google.Protobuf;

namespace MLNetLinearize.Onnx;

/// <summary>
/// Values that a model keeps in files beside it. One rule for every tensor: a regular file inside the model's folder, also after
/// its links, that holds at the place the tensor names as many bytes as the tensor's shape takes. A model must not be able to
/// read any other file of the machine that explains it, nor to wait for one.
/// </summary>
internal sealed class ExternalData(string folder, string model)
{
    // As many as Linux follows.
    private const int MostLinks = 40;

    // Linux opens no longer path; each of its folders is looked at.
    private const int MostCharacters = 4096;

    private const int MostTold = 200;

    private readonly string home = Resolved(folder) ?? folder;
    private readonly Dictionary<string, string> files = [];

    public static bool Is(TensorProto tensor) => tensor.DataLocation == TensorProto.Types.DataLocation.External;

    /// <summary>Reads what lies outside the model into it.</summary>
    /// <exception cref="InvalidModelException">A tensor breaks the rule; the message names it, the path and the remedy.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public void Load(IEnumerable<StoredTensor> tensors)
    {
        var ranges = tensors.Where(t => Is(t.Tensor)).Select(t => (t.Tensor, Range: Range(t))).ToList();
        // Before the first is read: many tensors may name one large file.
        var total = ranges.Sum(r => (decimal)r.Range.Length);
        if (total > int.MaxValue)
            throw new InvalidModelException($"The weights beside '{model}' take {total:N0} bytes; a model and its weights may take {int.MaxValue:N0}.");
        foreach (var (tensor, range) in ranges)
        {
            tensor.RawData = Read(range);
            tensor.DataLocation = TensorProto.Types.DataLocation.Default;
            tensor.ExternalData.Clear();
        }
    }

    /// <summary>The file that a tensor names, as a full path.</summary>
    /// <exception cref="InvalidModelException">It is none inside the model's folder.</exception>
    public string PathOf(in StoredTensor stored) => PathOf(stored, Entries(stored));

    private FileRange Range(in StoredTensor stored)
    {
        var bytes = StoredData.Bytes(stored, model);
        var entries = Entries(stored);
        var file = PathOf(stored, entries);
        // The size is told without opening the file. A pipe or a device has none, and is never opened.
        var size = new FileInfo(file).Length;
        var offset = Number(stored, entries, "offset") ?? 0;
        if (Number(stored, entries, "length") is { } length && length != bytes)
            throw Refused(stored, $"says that {length:N0} bytes of '{Told(entries["location"])}' are its values, where its shape " +
                $"[{string.Join(", ", stored.Tensor.Dims)}] of {stored.Tensor.ElementType()} takes {bytes:N0}. Export the model anew");
        if (offset > size || bytes > size - offset)
            throw Refused(stored, $"keeps its values in '{Told(entries["location"])}', which has {size:N0} bytes " +
                $"and so does not hold {bytes:N0} bytes from offset {offset:N0}. " +
                (size == 0 ? "The file is empty, or no regular file; put the weights there" : "The file may be cut short; copy it anew"));
        return new(file, offset, bytes);
    }

    private Dictionary<string, string> Entries(in StoredTensor stored)
    {
        var entries = new Dictionary<string, string>();
        foreach (var entry in stored.Tensor.ExternalData)
            if (!entries.TryAdd(entry.Key, entry.Value))
                throw Refused(stored, $"gives '{Told(entry.Key)}' of its external data twice, '{Told(entries[entry.Key])}' and '{Told(entry.Value)}'. " +
                    "Export the model anew");
        return entries;
    }

    private string PathOf(in StoredTensor stored, Dictionary<string, string> entries)
    {
        var location = entries.GetValueOrDefault("location", "");
        if (files.TryGetValue(location, out var known)) return known;
        if (string.IsNullOrWhiteSpace(location))
            throw Refused(stored, "is marked external but names no file: its external_data has no 'location'. Export the model anew");
        if (location.Length > MostCharacters)
            throw Refused(stored, $"keeps its values in '{Told(location)}', a path of {location.Length:N0} characters, " +
                $"where {MostCharacters:N0} is the most. Export the model anew");
        if (location.Contains('\0')) throw Refused(stored, $"keeps its values in '{Told(location)}', whose name holds a NUL character. Export the model anew");
        if (Path.IsPathRooted(location) || location.Split('/', '\\').Contains("..")) throw Outside(stored, location);
        var named = Path.Combine(home, location);
        var file = Resolved(named)
            ?? throw Refused(stored, $"keeps its values in '{Told(location)}', whose links lead in a circle. Copy the file itself to '{folder}'");
        if (!file.StartsWith(home.TrimEnd(Path.DirectorySeparatorChar) + Path.DirectorySeparatorChar, StringComparison.Ordinal))
            throw Outside(stored, location);
        if (Directory.Exists(file)) throw Refused(stored, $"keeps its values in '{Told(location)}', which is a folder. Put the file of the weights there");
        if (!File.Exists(file)) throw Refused(stored, $"keeps its values in '{Told(location)}', which is missing beside the model. Copy it to '{folder}'");
        return files[location] = file;
    }

    private long? Number(in StoredTensor stored, Dictionary<string, string> entries, string key)
    {
        if (!entries.TryGetValue(key, out var text)) return null;
        return long.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var number)
            ? number
            : throw Refused(stored, $"gives '{Told(text)}' as the {key} of its external data, which is no whole number of bytes from 0. Export the model anew");
    }

    private static ByteString Read(FileRange range)
    {
        if (range.Length == 0) return ByteString.Empty;
        using var stream = File.OpenRead(range.File);
        var bytes = new byte[range.Length];
        stream.Position = range.Offset;
        stream.ReadExactly(bytes);
        return UnsafeByteOperations.UnsafeWrap(bytes);
    }

    /// <summary>Where a path leads after the links of each of its folders and its own; null where they lead in a circle.</summary>
    private static string? Resolved(string path)
    {
        path = Path.GetFullPath(path);
        var (at, links) = (Path.GetPathRoot(path)!, 0);
        var rest = new Stack<string>(Enumerable.Reverse(Parts(path)));
        while (rest.TryPop(out var part))
        {
            var next = Path.GetFullPath(Path.Combine(at, part));
            if (new FileInfo(next).LinkTarget is not { } target)
            {
                at = next;
                continue;
            }
            if (++links > MostLinks) return null;
            if (Path.IsPathRooted(target)) at = Path.GetPathRoot(Path.GetFullPath(target))!;
            foreach (var behind in Enumerable.Reverse(Parts(target))) rest.Push(behind);
        }
        return at;
    }

    private static string[] Parts(string path)
    {
        char[] separators = [Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar];
        return path[(Path.GetPathRoot(path) ?? "").Length..].Split(separators, StringSplitOptions.RemoveEmptyEntries);
    }

    private static string Told(string text) => (text.Length > MostTold ? text[..MostTold] + "…" : text).Replace("\0", "\\0", StringComparison.Ordinal);

    private InvalidModelException Outside(in StoredTensor stored, string location) =>
        Refused(stored, $"keeps its values in '{Told(location)}', outside the model's folder '{folder}'. Such a path is refused, " +
            "also by way of '..' or a link; move the file itself beside the model, and name it so");

    private InvalidModelException Refused(in StoredTensor stored, string why) => new($"{stored.Describe()} of '{model}' {why}.");

    private readonly record struct FileRange(string File, long Offset, long Length);
}
