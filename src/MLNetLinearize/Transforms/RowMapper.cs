using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNetLinearize.Transforms;

/// <summary>Explains rows one at a time. Each row from <see cref="GetRow"/> has buffers of its own, so several threads may each use one.</summary>
internal sealed class RowMapper(ColumnBinding binding, SessionCache sessions) : IRowToRowMapper
{
    public DataViewSchema InputSchema => binding.InputSchema;

    public DataViewSchema OutputSchema => binding.OutputSchema;

    public IEnumerable<DataViewSchema.Column> GetDependencies(IEnumerable<DataViewSchema.Column> dependingColumns) => binding.Dependencies(dependingColumns);

    public DataViewRow GetRow(DataViewRow input, IEnumerable<DataViewSchema.Column> activeColumns)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(activeColumns);
        if (!ReferenceEquals(input.Schema, InputSchema))
            throw new ArgumentException("The row's schema is not the one that this mapper was made for. Make the mapper with the row's schema.", nameof(input));
        return new ExplainedRow(input, binding, sessions, activeColumns);
    }
}
