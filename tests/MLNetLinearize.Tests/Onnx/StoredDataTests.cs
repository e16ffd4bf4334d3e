using Google.Protobuf;
using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Tests;

/// <summary>A tensor holds as many values as its shape says, wherever it stands; else the model is refused when it is read.</summary>
public sealed class StoredDataTests
{
    public static TheoryData<string> Places => [.. TensorPlaces.Names];

    /// <summary>Type, bits of an element, its list, and entries of that list for five elements.</summary>
    public static TheoryData<int, int, string, int> Types => new()
    {
        { (int)DataType.Float, 32, "float", 5 },
        { (int)DataType.Double, 64, "double", 5 },
        { (int)DataType.Int64, 64, "int64", 5 },
        { (int)DataType.Uint64, 64, "uint64", 5 },
        { (int)DataType.Uint32, 32, "uint64", 5 },
        { (int)DataType.Int32, 32, "int32", 5 },
        { (int)DataType.Int16, 16, "int32", 5 },
        { (int)DataType.Uint16, 16, "int32", 5 },
        { (int)DataType.Int8, 8, "int32", 5 },
        { (int)DataType.Uint8, 8, "int32", 5 },
        { (int)DataType.Bool, 8, "int32", 5 },
        { (int)DataType.Float16, 16, "int32", 5 },
        { (int)DataType.Bfloat16, 16, "int32", 5 },
        { (int)DataType.Float8E4M3Fn, 8, "int32", 5 },
        { (int)DataType.Float8E4M3Fnuz, 8, "int32", 5 },
        { (int)DataType.Float8E5M2, 8, "int32", 5 },
        { (int)DataType.Float8E5M2Fnuz, 8, "int32", 5 },
        { (int)DataType.Float8E8M0, 8, "int32", 5 },
        { (int)DataType.Int4, 4, "int32", 3 },
        { (int)DataType.Uint4, 4, "int32", 3 },
        { (int)DataType.Float4E2M1, 4, "int32", 3 },
        { (int)DataType.Int2, 2, "int32", 2 },
        { (int)DataType.Uint2, 2, "int32", 2 },
        { (int)DataType.Complex64, 64, "float", 10 },
        { (int)DataType.Complex128, 128, "double", 10 },
    };

    [Theory]
    [MemberData(nameof(Types))]
    public void Each_type_is_counted_as_the_format_stores_it(int type, int bits, string list, int entries)
    {
        TensorProto Listed(int count) => Fill(new TensorProto { Name = "w", DataType = type, Dims = { 5 } }, list, count);
        TensorProto Raw(int bytes) => Tensors.Raw("w", (DataType)type, new byte[bytes], [5]);
        Read(Listed(entries));
        var size = (5 * bits + 7) / 8;
        Read(Raw(size));
        foreach (var count in new[] { 0, entries - 1, entries + 1 })
            Refused(Listed(count), $"Tensor 'w' of 'stream' holds {count} values in {list}_data, where its shape [5] of {(DataType)type} takes {entries}");
        foreach (var bytes in new[] { 0, size - 1, size + 1 })
            Refused(Raw(bytes), $"Tensor 'w' of 'stream' holds {bytes} bytes in raw_data, where its shape [5] of {(DataType)type} takes {size}");
        Read(new TensorProto { Name = "w", DataType = type, Dims = { 3, 0, long.MaxValue } });
    }

    [Fact]
    public void Texts_are_counted()
    {
        Read(Tensors.OfStrings("w", ["a", "b"], 2));
        Refused(Tensors.OfStrings("w", ["a", "b"], 3), "holds 2 values in string_data, where its shape [3] of String takes 3");
        var raw = new TensorProto { Name = "w", DataType = (int)DataType.String, RawData = ByteString.CopyFromUtf8("a"), Dims = { 1 } };
        Refused(raw, "holds 0 values in string_data");
    }

    [Fact]
    public void A_shape_that_no_file_can_hold_is_refused()
    {
        Refused(Tensors.Of("w", new float[] { 1, 2 }), "holds 8 bytes in raw_data, where its shape [] of Float takes 4");
        Refused(Fill(new() { Name = "w", DataType = (int)DataType.Float, Dims = { -2 } }, "float", 2), "has the shape [-2]; a dimension must be 0 or more");
        Refused(new() { Name = "w", DataType = (int)DataType.Float, Dims = { 1L << 40, 1L << 40 } },
            "has the shape [1099511627776, 1099511627776], which is larger than a file can hold");
        Refused(new() { Name = "w", DataType = (int)DataType.Int2, Dims = { 1L << 32, 1L << 32 } }, "larger than a file can hold");
        Refused(new() { Name = "w", DataType = (int)DataType.Float, Dims = { Enumerable.Repeat(1L, 1000) } }, "[1, 1, 1, 1, 1, 1, 1, 1, … 1,000 dimensions]");
        Refused(new() { Name = "w", Dims = { 0 } }, "is of element type 0, which is none that ONNX had");
        Refused(new() { Name = "w", DataType = 99, Dims = { 1 }, RawData = ByteString.CopyFrom(1) }, "is of element type 99");
    }

    [Theory]
    [MemberData(nameof(Places))]
    public void A_tensor_is_checked_wherever_it_stands(string place)
    {
        var type = place.StartsWith("indices", StringComparison.Ordinal) ? DataType.Int64 : DataType.Float;
        ModelProto ReadWith(int bytes) => OnnxFile.Read(Stream(TensorPlaces.With(Tensors.Raw("bad", type, new byte[bytes], [1]), place)));
        Assert.Single(StoredTensors.Of(ReadWith(type == DataType.Int64 ? 8 : 4)), t => t.Tensor.Name == "bad");
        var error = Assert.Throws<InvalidModelException>(() => ReadWith(7));
        Assert.Contains("'bad'", error.Message, StringComparison.Ordinal);
        Assert.Contains("holds 7 bytes in raw_data", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_sparse_tensor_without_values_is_refused()
    {
        var model = TensorPlaces.Small();
        model.Graph.SparseInitializer.Add(new SparseTensorProto { Dims = { 4 } });
        var error = Assert.Throws<InvalidModelException>(() => OnnxFile.Read(Stream(model)));
        Assert.Contains("The values of sparse tensor are missing", error.Message, StringComparison.Ordinal);
    }

    private static TensorProto Fill(TensorProto tensor, string list, int count)
    {
        switch (list)
        {
            case "float": tensor.FloatData.AddRange(new float[count]); break;
            case "double": tensor.DoubleData.AddRange(new double[count]); break;
            case "int32": tensor.Int32Data.AddRange(new int[count]); break;
            case "int64": tensor.Int64Data.AddRange(new long[count]); break;
            default: tensor.Uint64Data.AddRange(new ulong[count]); break;
        }
        return tensor;
    }

    private static void Read(TensorProto tensor) =>
        Assert.Single(OnnxFile.Read(Stream(TensorPlaces.With(tensor, "initializer"))).Graph.Initializer, t => t.Name == "w");

    private static void Refused(TensorProto tensor, string words)
    {
        var error = Assert.Throws<InvalidModelException>(() => OnnxFile.Read(Stream(TensorPlaces.With(tensor, "initializer"))));
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
    }

    private static MemoryStream Stream(ModelProto model) => new(model.ToByteArray());
}
