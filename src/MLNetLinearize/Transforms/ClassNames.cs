using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNetLinearize.Transforms;

/// <summary>Names of the network's outputs out of the annotations of <see cref="LinearizeOptions.ClassNamesColumn"/>.</summary>
internal static class ClassNames
{
    /// <summary>The graph with the names that the schema tells, where the options ask for them.</summary>
    /// <exception cref="ArgumentException">The column is missing, has no names, or another number of them.</exception>
    public static LinearizationGraph Resolve(LinearizationGraph graph, DataViewSchema schema)
    {
        if (graph.Options.ClassNamesColumn is not { } name) return graph;
        CheckOptions(graph.Options);
        var column = schema.GetColumnOrNull(name) ?? throw Missing(name, schema.Select(c => $"{c.Name}: {c.Type}"));
        var names = Read(column) ?? throw Refused(name, $"{column.Type} without either");
        if (names.Count != graph.OutputCount) throw Refused(name, $"{column.Type} with {names.Count} names, but the network has {graph.OutputCount} outputs");
        return graph.With(graph.Options with { ClassNames = names, ClassNamesColumn = null });
    }

    /// <summary>The same check on the shape of a schema.</summary>
    public static void Check(LinearizationGraph graph, SchemaShape schema)
    {
        if (graph.Options.ClassNamesColumn is not { } name) return;
        CheckOptions(graph.Options);
        var column = schema.Where(c => c.Name == name).Select(c => (SchemaShape.Column?)c).FirstOrDefault() ?? throw Missing(name, schema.Select(c => c.Name));
        if (!column.Annotations.Any(a => a.Name is SlotNames.Annotation or KeyValues.Annotation)) throw Refused(name, $"{column.ItemType} without either");
    }

    private static IReadOnlyList<string>? Read(DataViewSchema.Column column)
    {
        if (column.HasSlotNames()) return ColumnFeatures.SlotNamesOf(column);
        return column.Annotations.Schema.GetColumnOrNull(KeyValues.Annotation) is null ? null : [.. KeyValues.Read(column, $"LinearizeOptions.{nameof(LinearizeOptions.ClassNamesColumn)}").Select(v => Convert.ToString(v, CultureInfo.InvariantCulture)!)];
    }

    private static void CheckOptions(LinearizeOptions options)
    {
        if (options.ClassNames is not null)
            throw new ArgumentException($"LinearizeOptions.{nameof(options.ClassNames)} and {nameof(options.ClassNamesColumn)} are both set. Set one of them.");
    }

    private static ArgumentException Missing(string name, IEnumerable<string> available) =>
        new($"Column '{name}' of LinearizeOptions.{nameof(LinearizeOptions.ClassNamesColumn)} is missing. The columns are {InputColumn.Short(available)}.");

    private static ArgumentException Refused(string name, string actual) => new(
        $"Column '{name}' of LinearizeOptions.{nameof(LinearizeOptions.ClassNamesColumn)} must have a slot name or a key value for each output of the network; it is {actual}. " +
        $"Name a key or Score column of the network's classes, or set {nameof(LinearizeOptions.ClassNames)}.");
}
