using System.Globalization;
using Microsoft.ML.Data;

namespace MLNetLinearize.Transforms;

/// <summary>
/// Names for the slots of attribution and weights: which target, then which feature. They are made when asked for.
/// </summary>
internal sealed class SlotNames
{
    /// <summary>Positions as names stop here: 150,000 names cost 2 MB in the saved model, 1.5 million 24 MB and 0.9 GB of memory at loading.</summary>
    public const int MostPositions = 100_000;

    /// <summary>Names that the user gave stop here.</summary>
    public const int MostNames = 1_000_000;

    /// <summary>ML.NET's name of the annotation.</summary>
    public const string Annotation = "SlotNames";

    private readonly Lazy<string[]> names;

    private SlotNames(Func<string[]> make) => names = new(make);

    public IReadOnlyList<string> Values => names.Value;

    /// <param name="graph">The compiled graph.</param>
    /// <param name="input">The explained input.</param>
    /// <param name="given">The names in the input column, or null where it has none.</param>
    /// <returns>Null where there are too many slots.</returns>
    public static SlotNames? For(LinearizationGraph graph, GraphInput input, Func<IReadOnlyList<string>>? given)
    {
        var slots = (long)graph.TargetCount * input.RowLength;
        if (slots > (given is null ? MostPositions : MostNames)) return null;
        return new(() =>
        {
            var features = Features(input, given?.Invoke());
            return [.. TargetPrefixes(graph).SelectMany(prefix => features.Select(f => prefix + f))];
        });
    }

    /// <summary>Names for sums over original columns.</summary>
    public static SlotNames Of(LinearizationGraph graph, IReadOnlyList<string> columns) => new(() => [.. TargetPrefixes(graph).SelectMany(prefix => columns.Select(c => prefix + c))]);

    public void Get(ref VBuffer<ReadOnlyMemory<char>> value)
    {
        var editor = VBufferEditor.Create(ref value, Values.Count);
        for (var i = 0; i < Values.Count; i++) editor.Values[i] = Values[i].AsMemory();
        value = editor.Commit();
    }

    /// <summary>One name for each element of the input, without targets.</summary>
    public static string[] Features(GraphInput input, IReadOnlyList<string>? given)
    {
        var names = new string[input.RowLength];
        for (var i = 0; i < names.Length; i++) names[i] = given is not null && given[i].Length > 0 ? given[i] : input.Raw?.Pixels?.Name(i) ?? Position(i, input.RowShape);
        return names;
    }

    private static string Position(int index, IReadOnlyList<int> shape)
    {
        var position = new int[Math.Max(1, shape.Count)];
        for (var axis = shape.Count - 1; axis >= 0; axis--) (index, position[axis]) = Math.DivRem(index, shape[axis]);
        return $"[{string.Join(',', position)}]";
    }

    private static IEnumerable<string> TargetPrefixes(LinearizationGraph graph)
    {
        var targets = graph.Options.Targets;
        var classes = graph.Options.ClassNames;
        string Class(int i) => classes is not null ? classes[i] : i.ToString(CultureInfo.InvariantCulture);
        if (targets.Kind == TargetKind.Contrast) return [$"{Class(targets.Indices[0])} vs {Class(targets.Indices[1])}|"];
        if (graph.TargetCount == 1) return [""];
        var count = Enumerable.Range(0, graph.TargetCount);
        return targets.Kind switch
        {
            TargetKind.Top => count.Select(r => $"#{r + 1}|"),
            TargetKind.Classes => targets.Indices.Select(i => Class(i) + "|"),
            _ => count.Select(i => Class(i) + "|"),
        };
    }
}
