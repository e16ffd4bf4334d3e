using System.Buffers;
using Parquet;
using Parquet.Schema;

namespace MLNetLinearize.Cli.Output;

/// <summary>
/// The values of one Parquet column that wait for their row group. Where a row has several, repetition levels say where
/// lists begin (S. Melnik et al., "Dremel", VLDB 2010); no list is empty, and nothing in one is missing.
/// </summary>
internal sealed class ColumnBuffer(Column column, DataField field, ExplanationColumns columns)
{
    private readonly List<long?> wholes = [];
    // Kept from group to group: arrays of this size would be collected late.
    private readonly ArrayBufferWriter<float> singles = new();
    private readonly ArrayBufferWriter<int> repetitions = new();
    private int[] definitions = [];

    public void Add(ExplainedBlock block, int i)
    {
        for (var k = 0; k < columns.Count(column); k++)
        {
            var length = 1;
            if (column.Kind is ColumnKind.Row or ColumnKind.Output) wholes.Add(column.Whole(block, i, k));
            else
            {
                var values = block.Values(column.Name, i, k);
                singles.Write(values);
                length = values.Length;
            }
            // 0 begins a row, 1 a further target (or feature, where there is one target), 2 a further feature of the same target.
            for (var j = 0; j < length && field.MaxRepetitionLevel > 0; j++) repetitions.Write([j > 0 ? field.MaxRepetitionLevel : k > 0 ? 1 : 0]);
        }
    }

    /// <summary>Writes what is held and starts anew.</summary>
    public void Flush(ParquetRowGroupWriter group)
    {
        (field.MaxRepetitionLevel > 0 ? WriteLists(group) : WriteFlat(group)).GetAwaiter().GetResult();
        wholes.Clear();
        singles.ResetWrittenCount();
        repetitions.ResetWrittenCount();
    }

    private bool IsText => column.Kind == ColumnKind.Output && columns.HasClassNames;

    private Task WriteLists(ParquetRowGroupWriter group)
    {
        var (repeated, count) = (repetitions.WrittenMemory, repetitions.WrittenCount);
        if (definitions.Length < count)
        {
            definitions = new int[count];
            Array.Fill(definitions, field.MaxDefinitionLevel);
        }
        ReadOnlyMemory<int> levels = definitions.AsMemory(0, count);
        if (wholes.Count == 0) return group.WriteAllPartsAsync<float>(field, singles.WrittenMemory, levels, repeated, CancellationToken.None);
        return IsText
            ? group.WriteAllPartsAsync<ReadOnlyMemory<char>>(field, wholes.Select(w => columns.Text(w!.Value).AsMemory()).ToArray(), levels, repeated, CancellationToken.None)
            : group.WriteAllPartsAsync<long>(field, wholes.Select(w => w!.Value).ToArray(), levels, repeated, CancellationToken.None);
    }

    private Task WriteFlat(ParquetRowGroupWriter group)
    {
        if (wholes.Count == 0) return group.WriteAsync<float>(field, singles.WrittenMemory);
        if (IsText) return group.WriteAsync(field, wholes.Select(w => w is { } whole ? columns.Text(whole) : null).ToArray()!);
        return field.MaxDefinitionLevel > 0 ? group.WriteAsync<long>(field, wholes.ToArray()) : group.WriteAsync<long>(field, wholes.Select(w => w!.Value).ToArray());
    }
}
