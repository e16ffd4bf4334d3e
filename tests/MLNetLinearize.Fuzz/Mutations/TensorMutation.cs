using Google.Protobuf;
using Google.Protobuf.Collections;
using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Fuzz.Mutations;

/// <summary>Stored tensors of another shape, type or length, with hostile values, missing, twice, sparse, or said to lie in another file.</summary>
internal static class TensorMutation
{
    private static readonly string[] Places = ["weights.bin", "../weights.bin", "/etc/hostname", "", ".", "a/../../b", "\u0000", "/dev/zero"];

    public static string Apply(GraphProto graph, Random random)
    {
        if (graph.Initializer.Count == 0) return "no tensor to change";
        // Integers say how long and how many; they are fewer than weights, and worth more.
        var integers = graph.Initializer.Where(t => t.DataType == (int)DataType.Int64).ToList();
        var tensor = integers.Count > 0 && random.Next(2) == 0 ? Draws.Of(random, integers) : Draws.Of(random, graph.Initializer);
        var what = $"tensor '{Draws.Shown(tensor.Name)}'";
        switch (random.Next(10))
        {
            case 0:
                graph.Initializer.Remove(tensor);
                return $"{what} removed";
            case 1:
                graph.Initializer.Add(tensor.Clone());
                return $"{what} twice";
            case 2:
                graph.Initializer.Remove(tensor);
                graph.SparseInitializer.Add(Sparse(tensor, random));
                return $"{what} is sparse";
            case 3:
                tensor.DataLocation = TensorProto.Types.DataLocation.External;
                var place = Draws.Of(random, Places);
                tensor.ExternalData.Add(new StringStringEntryProto { Key = "location", Value = place });
                tensor.ExternalData.Add(new StringStringEntryProto { Key = "length", Value = $"{Draws.Integer(random)}" });
                tensor.ExternalData.Add(new StringStringEntryProto { Key = "offset", Value = $"{Draws.Integer(random)}" });
                return $"{what} lies in '{place}'";
            default:
                return $"{what}: {Change(tensor, random)}";
        }
    }

    public static string Change(TensorProto tensor, Random random)
    {
        switch (random.Next(5))
        {
            case 0:
                return $"dims {List(tensor.Dims, Draws.Integer, random)}";
            case 1:
                tensor.DataType = Draws.Type(random);
                return $"type {tensor.DataType}";
            case 2 when tensor.HasRawData:
                var length = random.Next(2) == 0 ? random.Next(tensor.RawData.Length + 1) : tensor.RawData.Length + random.Next(64);
                tensor.RawData = ByteString.CopyFrom([.. tensor.RawData.Take(length), .. new byte[Math.Max(0, length - tensor.RawData.Length)]]);
                return $"{length} bytes";
            default:
                return Value(tensor, random);
        }
    }

    /// <summary>One element, or the length, of a list changed.</summary>
    public static string List<T>(RepeatedField<T> list, Func<Random, T> draw, Random random)
    {
        var value = draw(random);
        var at = list.Count == 0 ? 0 : random.Next(list.Count);
        switch (list.Count == 0 ? 1 : random.Next(5))
        {
            case 0:
                list.RemoveAt(at);
                return $"without [{at}]";
            case 1:
                list.Insert(at, value);
                return $"with {value} before [{at}]";
            default:
                list[at] = value;
                return $"[{at}] = {value}";
        }
    }

    private static string Value(TensorProto tensor, Random random)
    {
        var (integer, number) = (Draws.Integer(random), Draws.Float(random));
        if (!tensor.HasRawData)
        {
            if (tensor.Int64Data.Count > 0) return List(tensor.Int64Data, Draws.Integer, random);
            if (tensor.Int32Data.Count > 0) return List(tensor.Int32Data, r => unchecked((int)Draws.Integer(r)), random);
            return List(tensor.FloatData, Draws.Float, random);
        }
        byte[] bytes = [.. tensor.RawData];
        byte[] value = (DataType)tensor.DataType switch
        {
            DataType.Int64 => BitConverter.GetBytes(integer),
            DataType.Int32 => BitConverter.GetBytes(unchecked((int)integer)),
            DataType.Double => BitConverter.GetBytes((double)number),
            DataType.Float => BitConverter.GetBytes(number),
            _ => [unchecked((byte)integer)],
        };
        if (bytes.Length < value.Length) return "too short for a value";
        var at = random.Next(bytes.Length / value.Length);
        value.CopyTo(bytes, at * value.Length);
        tensor.RawData = ByteString.CopyFrom(bytes);
        return $"[{at}] = {((DataType)tensor.DataType is DataType.Float or DataType.Double ? number : integer)}";
    }

    private static SparseTensorProto Sparse(TensorProto tensor, Random random)
    {
        var sparse = new SparseTensorProto { Values = tensor.Clone(), Dims = { tensor.Dims } };
        var count = tensor.Dims.Aggregate(1L, (a, d) => unchecked(a * d));
        if (random.Next(3) > 0) sparse.Values.Dims.Clear();
        if (random.Next(3) > 0) sparse.Values.Dims.Add(count);
        long[] indices = [.. Enumerable.Range(0, (int)Math.Clamp(count, 0, 4096)).Select(i => random.Next(50) == 0 ? Draws.Integer(random) : i)];
        if (random.Next(8) > 0) sparse.Indices = Tensors.Of("indices", indices, indices.Length);
        if (random.Next(4) == 0) List(sparse.Dims, Draws.Integer, random);
        return sparse;
    }
}
