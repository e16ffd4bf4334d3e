using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNetLinearize.Transforms;

/// <summary>The model's inputs of a batch of rows, read from the columns of one cursor or row. The arrays are reused and never move.</summary>
internal sealed class InputReader
{
    private readonly Dictionary<string, Array> arrays = [];
    private readonly List<Action<int>> readers = [];

    public InputReader(InputBinding binding, DataViewRow row, int capacity)
    {
        foreach (var input in binding.Inputs) Add(input, row, capacity);
        if (binding.Label?.Reader(row) is not { } label) return;
        var classes = GC.AllocateArray<long>(capacity, pinned: true);
        arrays[OutputNames.Label] = classes;
        readers.Add(slot => classes[slot] = label());
    }

    /// <summary>By name of the ONNX input: all rows, one after the other.</summary>
    public IReadOnlyDictionary<string, Array> Arrays => arrays;

    /// <summary>Reads the row that the source is at into row <paramref name="slot"/> of the batch.</summary>
    public void Read(int slot)
    {
        foreach (var reader in readers) reader(slot);
    }

    private void Add(InputColumn input, DataViewRow row, int capacity)
    {
        var type = input.Input.ElementType;
        if (type == typeof(float)) Add<float>(input, row, capacity);
        else if (type == typeof(double)) Add<double>(input, row, capacity);
        else if (type == typeof(long)) Add<long>(input, row, capacity);
        else if (type == typeof(int)) Add<int>(input, row, capacity);
        else if (type == typeof(short)) Add<short>(input, row, capacity);
        else if (type == typeof(sbyte)) Add<sbyte>(input, row, capacity);
        else if (type == typeof(byte)) Add<byte>(input, row, capacity);
        else if (type == typeof(ushort)) Add<ushort>(input, row, capacity);
        else if (type == typeof(uint)) Add<uint>(input, row, capacity);
        else if (type == typeof(ulong)) Add<ulong>(input, row, capacity);
        else if (type == typeof(bool)) Add<bool>(input, row, capacity);
        else if (type == typeof(string)) AddText(input, row, capacity);
        else throw new ArgumentException($"The model's input '{input.Input.Name}' takes {type.Name}, which no ML.NET column holds.");
    }

    private void Add<T>(InputColumn input, DataViewRow row, int capacity)
    {
        var length = input.Input.RowLength;
        var values = GC.AllocateArray<T>(checked(capacity * length), pinned: true);
        arrays[input.Input.Name] = values;
        if (input.IsVector)
        {
            var read = Vector<T>(input, row);
            readers.Add(slot => read().CopyTo(values.AsSpan(slot * length, length)));
        }
        else
        {
            var getter = row.GetGetter<T>(row.Schema[input.Column.Index]);
            readers.Add(slot => getter(ref values[slot]));
        }
    }

    private void AddText(InputColumn input, DataViewRow row, int capacity)
    {
        var length = input.Input.RowLength;
        var values = new string[checked(capacity * length)];
        Array.Fill(values, "");
        arrays[input.Input.Name] = values;
        if (input.IsVector)
        {
            var read = Vector<ReadOnlyMemory<char>>(input, row);
            readers.Add(slot =>
            {
                var i = slot * length;
                foreach (var text in read().DenseValues()) values[i++] = text.ToString();
            });
        }
        else
        {
            var getter = row.GetGetter<ReadOnlyMemory<char>>(row.Schema[input.Column.Index]);
            var text = default(ReadOnlyMemory<char>);
            readers.Add(slot =>
            {
                getter(ref text);
                values[slot] = text.ToString();
            });
        }
    }

    /// <summary>A getter of vectors that refuses one of another size than its column says.</summary>
    private static Func<VBuffer<T>> Vector<T>(InputColumn input, DataViewRow row)
    {
        var getter = row.GetGetter<VBuffer<T>>(row.Schema[input.Column.Index]);
        var buffer = default(VBuffer<T>);
        return () =>
        {
            getter(ref buffer);
            return buffer.Length == input.Input.RowLength ? buffer : throw InputColumn.Mismatch(input.Input, input.Column.Name, $"a vector of {buffer.Length} in row {row.Position}", "Check what fills the column.");
        };
    }
}
