using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNetLinearize.Transforms;

/// <summary>
/// The shape of the output schema. ML.NET lets nobody outside make a <see cref="SchemaShape.Column"/>; but the estimator of a
/// data loader makes one of each column of the loader's schema, slot names included.
/// </summary>
internal static class SchemaPromise
{
    public static SchemaShape Make(LinearizationGraph graph, SchemaShape input)
    {
        var named = new HashSet<string>();
        foreach (var (source, name) in InputColumn.Names(graph))
        {
            var column = Find(input, name) ?? throw InputColumn.Missing(source, name, Describe(input));
            Check(source, column);
            if (column.Annotations.Any(a => a.Name == SlotNames.Annotation)) named.Add(source.Name);
        }
        ClassNames.Check(graph, input);
        if (graph.Options.Targets.Column is { } label)
        {
            var column = Find(input, label) ?? throw LabelColumn.Missing(label, LabelColumn.OfTargets, Describe(input));
            var isVector = column.Kind != SchemaShape.Column.VectorKind.Scalar;
            LabelColumn.CheckType(graph, label, LabelColumn.OfTargets, Type(column), column.ItemType.RawType, column.IsKey, isVector, column.Annotations.Any(a => a.Name == KeyValues.Annotation));
        }
        var columns = ExplanationColumn.Of(graph, i => ColumnFeatures.Are(graph, i, input => named.Contains(input.Name)));
        ExplanationColumn.CheckNames(columns, name => Find(input, name) is not null);
        var schema = new DataViewSchema.Builder();
        foreach (var column in columns) schema.AddColumn(column.Name, column.Type, column.Annotations());
        return new SchemaShape(input.Concat(ShapeOf(schema.ToSchema())));
    }

    /// <summary>The shape of a schema, slot names included.</summary>
    public static SchemaShape ShapeOf(DataViewSchema schema) => new Loader(schema).Append(new Same()).GetOutputSchema();

    private static SchemaShape.Column? Find(SchemaShape shape, string name)
    {
        foreach (var column in shape)
            if (column.Name == name) return column;
        return null;
    }

    private static void Check(GraphInput input, SchemaShape.Column column)
    {
        var actual = Type(column);
        if (column.IsKey || column.ItemType.RawType != InputColumn.RawType(input))
            throw InputColumn.Mismatch(input, column.Name, actual, InputColumn.ConvertRemedy(input, column.Name));
        if (column.Kind == SchemaShape.Column.VectorKind.VariableVector)
            throw InputColumn.Mismatch(input, column.Name, $"{actual} whose size may differ by row", "Give it a fixed size, in the class with [VectorType(n)] or in the loader.");
        if (column.Kind == SchemaShape.Column.VectorKind.Scalar && input.RowLength != 1)
            throw InputColumn.Mismatch(input, column.Name, $"one {actual}", "Name the column that holds all of them, or join columns with mlContext.Transforms.Concatenate.");
    }

    private static IEnumerable<string> Describe(SchemaShape shape) => shape.Select(c => $"{c.Name}: {Type(c)}");

    private static string Type(SchemaShape.Column column) => $"{(column.Kind == SchemaShape.Column.VectorKind.Scalar ? "" : "vector of ")}{(column.IsKey ? "key of " : "")}{column.ItemType}";

    private sealed class Loader(DataViewSchema schema) : IDataLoader<object>
    {
        public DataViewSchema GetOutputSchema() => schema;

        public IDataView Load(object input) => new EmptyView(schema);

        void ICanSaveModel.Save(ModelSaveContext ctx) => throw new NotSupportedException();
    }

    private sealed class Same : IEstimator<ITransformer>
    {
        public ITransformer Fit(IDataView input) => throw new NotSupportedException();

        public SchemaShape GetOutputSchema(SchemaShape inputSchema) => inputSchema;
    }
}
