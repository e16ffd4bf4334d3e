using Microsoft.ML;

namespace MLNetLinearize.Transforms;

/// <summary>The checks that every row and cursor makes.</summary>
internal static class Getters
{
    public static void CheckActive(DataViewRow row, DataViewSchema.Column column)
    {
        if (column.Index >= row.Schema.Count || row.Schema[column.Index].Name != column.Name)
            throw new ArgumentOutOfRangeException(nameof(column), $"Column '{column.Name}' (index {column.Index}) is not of this row's schema. Take it from the Schema of the row or cursor.");
        if (!row.IsColumnActive(column))
            throw new ArgumentOutOfRangeException(nameof(column), $"Column '{column.Name}' is not active. Name it among the columns when opening the cursor.");
    }

    public static ValueGetter<T> Typed<T>(DataViewSchema.Column column, Delegate getter) => getter as ValueGetter<T>
        ?? throw new InvalidOperationException($"Column '{column.Name}' is of type {column.Type} and has values of {TypeNames.Of(column.Type.RawType)}, but a getter of {TypeNames.Of(typeof(T))} was asked for.");

    public static InvalidOperationException NoRow() => new("The cursor is at no row. Call MoveNext first, and stop when it returns false.");
}
