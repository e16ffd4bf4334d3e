using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace MLNetLinearize.Cli.Data;

/// <summary>
/// Head of a NumPy array file: the magic bytes, a version, and a Python dictionary with the element type, the order of the
/// elements and the shape (NumPy Enhancement Proposal 1; version 2.0 has a longer length field, 3.0 UTF-8 text).
/// </summary>
/// <param name="Kind">Kind of number: f float, i signed, u unsigned, b boolean.</param>
/// <param name="Size">Bytes of one element.</param>
/// <param name="IsLittleEndian">Order of an element's bytes.</param>
/// <param name="IsFortranOrder">Whether the first axis runs fastest.</param>
/// <param name="Shape">Sizes of the axes.</param>
internal sealed partial record NpyHeader(char Kind, int Size, bool IsLittleEndian, bool IsFortranOrder, IReadOnlyList<long> Shape)
{
    /// <summary>Types are few and short; a header beyond this is no array of numbers.</summary>
    private const int MostBytes = 1 << 20;

    private static readonly string[] Types = ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"];

    public static bool IsNpy(PeekStream stream) => stream.Peek(6) is [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    public static NpyHeader Read(string name, Stream stream)
    {
        var version = Bytes(8)[6];
        if (version is not (1 or 2 or 3)) throw new InputException($"'{name}' is an NPY file of version {version}; versions 1, 2 and 3 are known. Save it again with numpy.save.");
        var length = version == 1 ? BinaryPrimitives.ReadUInt16LittleEndian(Bytes(2)) : BinaryPrimitives.ReadUInt32LittleEndian(Bytes(4));
        if (length > MostBytes) throw new InputException($"'{name}' is not a usable NPY file: its header would have {length:N0} bytes.");
        return Parse(name, (version == 3 ? Encoding.UTF8 : Encoding.Latin1).GetString(Bytes((int)length)));

        byte[] Bytes(int count)
        {
            var bytes = new byte[count];
            return stream.ReadAtLeast(bytes, count, throwOnEndOfStream: false) == count ? bytes : throw new InputException($"'{name}' ends inside its header: it is cut short. Copy or download it again.");
        }
    }

    private static NpyHeader Parse(string name, string text)
    {
        var (type, order, shape) = (Type().Match(text), Order().Match(text), Sizes().Match(text));
        if (!type.Success || !order.Success || !shape.Success)
            throw new InputException($"'{name}' is no NPY file of plain numbers: its header is {Names.Short(text.Trim())}. Save a float or integer array, not one of records or objects.");
        if (!Types.Contains(type.Groups[2].Value))
            throw new InputException($"'{name}' holds elements of type '{type.Groups[1].Value}{Names.Short(type.Groups[2].Value)}'; expected one of {string.Join(", ", Types)}. Convert it first, such as with array.astype('float32').");
        var sizes = shape.Groups[1].Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var parsed = sizes.Select(s => long.TryParse(s, NumberStyles.None, CultureInfo.InvariantCulture, out var size) ? size : -1).ToArray();
        if (parsed.Contains(-1)) throw new InputException($"'{name}' is not a usable NPY file: its header gives the shape ({Names.Short(shape.Groups[1].Value)}).");
        var little = type.Groups[1].Value switch { "<" => true, ">" => false, _ => BitConverter.IsLittleEndian };
        return new(type.Groups[2].Value[0], type.Groups[2].Value[1] - '0', little, order.Groups[1].Value == "True", parsed);
    }

    [GeneratedRegex("""['"]descr['"]\s*:\s*['"]([<>|=]?)(\w+)['"]""")]
    private static partial Regex Type();

    [GeneratedRegex("""['"]fortran_order['"]\s*:\s*(True|False)""")]
    private static partial Regex Order();

    [GeneratedRegex("""['"]shape['"]\s*:\s*\(([^)]*)\)""")]
    private static partial Regex Sizes();
}
