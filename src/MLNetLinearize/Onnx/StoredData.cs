using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Onnx;

/// <summary>
/// Whether a tensor stores as many values as its shape says: what reads it later may count on that. Sizes are those of the ONNX
/// format's <c>TensorProto</c>; values of 4 and 2 bits stand two and four in a byte, the last byte filled up.
/// </summary>
internal static class StoredData
{
    private const int MostDimensionsTold = 8;

    /// <summary>Refuses a tensor whose own data does not fit its type and shape. What lies in another file is not looked at.</summary>
    /// <param name="stored">The tensor; its data is counted, not read.</param>
    /// <param name="model">The model's name.</param>
    /// <exception cref="InvalidModelException">It does not fit; the message names tensor, expected and actual.</exception>
    public static void Check(in StoredTensor stored, string model)
    {
        var tensor = stored.Tensor;
        if (tensor.HasRawData && tensor.ElementType() != DataType.String)
        {
            var bytes = Bytes(stored, model);
            if (tensor.RawData.Length != bytes) throw Mismatch(stored, model, tensor.RawData.Length, "bytes in raw_data", bytes);
            return;
        }
        var ((field, held), wanted) = (Field(tensor), Entries(tensor.ElementType(), Count(stored, model)));
        if (held != wanted) throw Mismatch(stored, model, held, $"values in {field}", wanted);
    }

    /// <summary>Bytes that the tensor's values take in one piece, as raw_data or in another file.</summary>
    /// <exception cref="InvalidModelException">Its shape or type is none that a file can hold.</exception>
    public static long Bytes(in StoredTensor stored, string model)
    {
        var count = Count(stored, model);
        if (stored.Tensor.ElementType() == DataType.String)
            throw Refused(stored, model, "is of texts, which have no fixed size and stand in string_data alone");
        return (count * Bits(stored.Tensor.ElementType())!.Value + 7) / 8;
    }

    private static long Count(in StoredTensor stored, string model)
    {
        var tensor = stored.Tensor;
        // So that bits can be counted as well.
        const long most = long.MaxValue / 128 - 1;
        if (tensor.Dims.Any(d => d < 0)) throw Refused(stored, model, $"has the shape {Shape(tensor)}; a dimension must be 0 or more");
        if (Bits(tensor.ElementType()) is null && tensor.ElementType() != DataType.String)
            throw Refused(stored, model, $"is of element type {tensor.DataType}, which is none that ONNX had when this version was written");
        var count = tensor.Dims.Contains(0) ? 0L : 1;
        foreach (var d in tensor.Dims)
        {
            if (count > 0 && d > most / count) throw Refused(stored, model, $"has the shape {Shape(tensor)}, which is larger than a file can hold");
            count *= d;
        }
        return count;
    }

    /// <summary>Bits of an element; null where it has no fixed size, or ONNX no such type.</summary>
    private static int? Bits(DataType type) => type switch
    {
        DataType.Complex128 => 128,
        DataType.Double or DataType.Int64 or DataType.Uint64 or DataType.Complex64 => 64,
        DataType.Float or DataType.Int32 or DataType.Uint32 => 32,
        DataType.Float16 or DataType.Bfloat16 or DataType.Int16 or DataType.Uint16 => 16,
        DataType.Bool or DataType.Int8 or DataType.Uint8 => 8,
        DataType.Float8E4M3Fn or DataType.Float8E4M3Fnuz or DataType.Float8E5M2 or DataType.Float8E5M2Fnuz or DataType.Float8E8M0 => 8,
        DataType.Uint4 or DataType.Int4 or DataType.Float4E2M1 => 4,
        DataType.Uint2 or DataType.Int2 => 2,
        _ => null,
    };

    /// <summary>The list that holds values of the tensor's type where they are not raw, and how many entries it has.</summary>
    private static (string Name, int Entries) Field(TensorProto tensor) => tensor.ElementType() switch
    {
        DataType.Float or DataType.Complex64 => ("float_data", tensor.FloatData.Count),
        DataType.Double or DataType.Complex128 => ("double_data", tensor.DoubleData.Count),
        DataType.Int64 => ("int64_data", tensor.Int64Data.Count),
        DataType.Uint32 or DataType.Uint64 => ("uint64_data", tensor.Uint64Data.Count),
        DataType.String => ("string_data", tensor.StringData.Count),
        _ => ("int32_data", tensor.Int32Data.Count),
    };

    private static long Entries(DataType type, long count) => type switch
    {
        DataType.Complex64 or DataType.Complex128 => 2 * count,
        _ when Bits(type) is { } bits and < 8 => (count * bits + 7) / 8,
        _ => count,
    };

    private static string Shape(TensorProto tensor) =>
        tensor.Dims.Count <= MostDimensionsTold
            ? $"[{string.Join(", ", tensor.Dims)}]"
            : $"[{string.Join(", ", tensor.Dims.Take(MostDimensionsTold))}, … {tensor.Dims.Count:N0} dimensions]";

    private static InvalidModelException Mismatch(in StoredTensor stored, string model, long actual, string what, long expected) =>
        Refused(stored, model, $"holds {actual:N0} {what}, where its shape {Shape(stored.Tensor)} of {stored.Tensor.ElementType()} takes {expected:N0}");

    private static InvalidModelException Refused(in StoredTensor stored, string model, string why) =>
        new($"{stored.Describe()} of '{model}' {why}. The file is damaged or was written wrongly: check it with onnx.checker, and export or download it anew.");
}
