using System.Collections;
using System.Globalization;
using System.Text;

namespace MLNetLinearize;

/// <summary>What the library's records say of themselves: their properties by name, with lists as lists, shortened where they are long.</summary>
internal static class RecordText
{
    private const int MostElements = 8;

    public static string Of<T>(T record) where T : notnull
    {
        var text = new StringBuilder(typeof(T).Name).Append(" { ");
        text.AppendJoin(", ", typeof(T).GetProperties().Select(p => $"{p.Name} = {Value(p.GetValue(record))}"));
        return text.Append(" }").ToString();
    }

    private static string Value(object? value) => value switch
    {
        null => "",
        string text => text,
        Type type => type.Name,
        IDictionary pairs => List(pairs.Keys.Cast<object>().Select(k => $"{Value(k)}: {Value(pairs[k])}")),
        IEnumerable list => List(list.Cast<object?>().Select(Value)),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };

    private static string List(IEnumerable<string> elements)
    {
        var all = elements.ToList();
        return all.Count <= MostElements ? $"[{string.Join(", ", all)}]" : $"[{string.Join(", ", all.Take(MostElements))}, … ({all.Count})]";
    }
}
