using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNetLinearize.Transforms;

/// <summary>
/// A graph bound to a schema: which columns feed it, and which columns come out. Everything that can be wrong with the
/// schema is found here, before a row is read.
/// </summary>
internal sealed class ColumnBinding : InputBinding
{
    public ColumnBinding(LinearizationGraph graph, DataViewSchema schema) : base(graph, schema)
    {
        Outputs = ExplanationColumn.Of(Graph, Inputs.ToDictionary(i => i.Input.Name, i => i.Column));
        OutputSchema = Append(schema, Outputs);
    }

    /// <summary>The appended columns, in the order of the schema.</summary>
    public IReadOnlyList<ExplanationColumn> Outputs { get; }

    /// <summary>The input's columns at their indices, hidden ones included, and behind them the appended columns.</summary>
    public DataViewSchema OutputSchema { get; }

    /// <summary>The appended column at an index of <see cref="OutputSchema"/>, or null where that index is the input's own column.</summary>
    public ExplanationColumn? OutputAt(int index) => index < InputSchema.Count ? null : Outputs[index - InputSchema.Count];

    /// <summary>The input columns that are needed to give <paramref name="columns"/> of the output.</summary>
    public IEnumerable<DataViewSchema.Column> Dependencies(IEnumerable<DataViewSchema.Column> columns)
    {
        var wanted = columns.ToList();
        var indices = wanted.Where(c => c.Index < InputSchema.Count).Select(c => c.Index).ToHashSet();
        if (wanted.Any(c => c.Index >= InputSchema.Count)) indices.UnionWith(Columns.Select(c => c.Index));
        return indices.Order().Select(i => InputSchema[i]);
    }

    private static DataViewSchema Append(DataViewSchema schema, IReadOnlyList<ExplanationColumn> columns)
    {
        ExplanationColumn.CheckNames(columns, name => schema.GetColumnOrNull(name) is not null);
        var builder = new DataViewSchema.Builder();
        builder.AddColumns(schema);
        foreach (var column in columns) builder.AddColumn(column.Name, column.Type, column.Annotations());
        return builder.ToSchema();
    }
}
