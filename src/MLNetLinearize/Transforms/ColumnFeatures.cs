using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNetLinearize.Transforms;

/// <summary>Names of what explains, out of the columns that it comes from.</summary>
internal static class ColumnFeatures
{
    /// <summary>The graph's inputs that an explained tensor is: itself, or all raw columns; none for the network's inner tensors.</summary>
    public static IReadOnlyList<GraphInput> Columns(LinearizationGraph graph, GraphInput explained) =>
        graph.Inputs.FirstOrDefault(i => i.Name == explained.Name) is { } input ? [input]
        : explained.Name == Preprocessing.RawColumns.Tensor ? [.. graph.Inputs.Where(i => i.Raw is not null)]
        : [];

    /// <summary>Whether there are names beyond positions in one input.</summary>
    public static bool Are(LinearizationGraph graph, GraphInput explained, Func<GraphInput, bool> hasSlotNames) =>
        Columns(graph, explained) is var columns && (columns.Count > 1 || columns.Count == 1 && (hasSlotNames(columns[0]) || IsRawNumber(columns[0])));

    /// <summary>
    /// The names: the column's own slot names; of several columns the column's name, and behind it, where it is a vector, the
    /// slot's, as Concatenate has it.
    /// </summary>
    public static IReadOnlyList<string> Of(LinearizationGraph graph, GraphInput explained, IReadOnlyDictionary<string, DataViewSchema.Column> sources)
    {
        var columns = Columns(graph, explained);
        if (columns.Count == 1 && !IsRawNumber(columns[0])) return SlotNames.Features(columns[0], Given(sources[columns[0].Name]));
        return [.. columns.SelectMany(input => sources[input.Name] is { Type: VectorDataViewType } column
            ? SlotNames.Features(input, Given(column)).Select(n => $"{column.Name}.{n}")
            : [sources[input.Name].Name])];
    }

    private static bool IsRawNumber(GraphInput input) => input.Raw is not null && input.RowLength == 1;

    private static string[]? Given(DataViewSchema.Column column) => column.HasSlotNames() ? SlotNamesOf(column) : null;

    /// <summary>The slot names of a column that has them.</summary>
    public static string[] SlotNamesOf(DataViewSchema.Column column)
    {
        var names = default(VBuffer<ReadOnlyMemory<char>>);
        column.GetSlotNames(ref names);
        return [.. names.DenseValues().Select(n => n.ToString())];
    }
}
