using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNetLinearize.Transforms;

/// <summary>Reads the annotation that says what the keys of a column stand for.</summary>
internal static class KeyValues
{
    public const string Annotation = "KeyValues";

    /// <summary>The key values of keys 1, 2, …: strings for text, else boxed numbers.</summary>
    /// <param name="column">The column.</param>
    /// <param name="option">The option that names it, for messages.</param>
    public static IEnumerable<object> Read(DataViewSchema.Column column, string option)
    {
        var annotations = column.Annotations;
        var type = ((VectorDataViewType)annotations.Schema[Annotation].Type).ItemType.RawType;
        if (type == typeof(ReadOnlyMemory<char>)) return Get<ReadOnlyMemory<char>>(annotations).Select(v => (object)v.ToString());
        if (type == typeof(float)) return Get<float>(annotations).Cast<object>();
        if (type == typeof(double)) return Get<double>(annotations).Cast<object>();
        if (type == typeof(bool)) return Get<bool>(annotations).Cast<object>();
        if (type == typeof(sbyte)) return Get<sbyte>(annotations).Cast<object>();
        if (type == typeof(byte)) return Get<byte>(annotations).Cast<object>();
        if (type == typeof(short)) return Get<short>(annotations).Cast<object>();
        if (type == typeof(ushort)) return Get<ushort>(annotations).Cast<object>();
        if (type == typeof(int)) return Get<int>(annotations).Cast<object>();
        if (type == typeof(uint)) return Get<uint>(annotations).Cast<object>();
        if (type == typeof(long)) return Get<long>(annotations).Cast<object>();
        if (type == typeof(ulong)) return Get<ulong>(annotations).Cast<object>();
        throw new ArgumentException($"Column '{column.Name}' of {option} is a key whose key values are of type {TypeNames.Of(type)}. Expected text or numbers. Make the key from a text or integer column.");
    }

    private static IEnumerable<T> Get<T>(DataViewSchema.Annotations annotations)
    {
        var values = default(VBuffer<T>);
        annotations.GetValue(Annotation, ref values);
        return values.DenseValues();
    }
}
