namespace MLNetLinearize.Transforms;

/// <summary>
/// Which slots of an input belong to one original column, by ML.NET's convention for slot names: Concatenate names a slot
/// <c>City.Paris</c> where the column <c>City</c> has a slot <c>Paris</c>, and <c>Age</c> where it is a single number.
/// </summary>
/// <param name="Names">The original columns, in the order of their first slots.</param>
/// <param name="OfSlot">For each slot the index of its column.</param>
internal sealed record ColumnGroups(IReadOnlyList<string> Names, int[] OfSlot)
{
    /// <param name="input">The input.</param>
    /// <param name="column">The column that feeds it, which is the original one where it has no slot names.</param>
    /// <param name="slots">Its slot names, or null. A slot without a name stands for itself, at its position.</param>
    public static ColumnGroups Of(GraphInput input, string column, IReadOnlyList<string>? slots)
    {
        if (slots is null) return new([column], new int[input.RowLength]);
        var indices = new Dictionary<string, int>(StringComparer.Ordinal);
        var names = new List<string>();
        var groups = new int[input.RowLength];
        var features = SlotNames.Features(input, slots);
        for (var i = 0; i < groups.Length; i++)
        {
            var name = slots[i].Split('.', 2)[0] is { Length: > 0 } prefix ? prefix : features[i];
            if (!indices.TryGetValue(name, out groups[i]))
            {
                indices[name] = groups[i] = names.Count;
                names.Add(name);
            }
        }
        return new(names, groups);
    }

    /// <summary>The sums over each column's slots, target after target.</summary>
    public void Sum(ReadOnlySpan<float> slots, Span<float> sums)
    {
        sums.Clear();
        for (var i = 0; i < slots.Length; i++) sums[i / OfSlot.Length * Names.Count + OfSlot[i % OfSlot.Length]] += slots[i];
    }
}
