using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNetLinearize.Preprocessing;

/// <summary>Holds the stages' maps to what the stages make of real rows: that is what a user would otherwise compare by hand.</summary>
internal sealed class StageComparison
{
    /// <summary>Rows that are compared.</summary>
    public const int MostRows = 64;

    private IDataView view;

    public StageComparison(IDataView data) => view = data;

    /// <summary>Compares the columns that one transformer makes, and goes on behind it.</summary>
    /// <param name="maps">Each stage of the transformer with its map.</param>
    /// <returns>Whether the data has what the transformer reads, of columns beside those on the way too; else nothing can be compared behind it.</returns>
    /// <exception cref="ArgumentException">A stage gives another number than its map.</exception>
    public bool Next(IReadOnlyList<(Stage Stage, AffineMap Map)> maps)
    {
        var before = view;
        try
        {
            view = maps[0].Stage.Transformer.Transform(before);
        }
        catch (ArgumentOutOfRangeException)
        {
            return false; // what ML.NET throws for a column that is missing or has another type
        }
        foreach (var (stage, map) in maps) Compare(stage, map, before, view);
        return true;
    }

    private static void Compare(Stage stage, AffineMap map, IDataView before, IDataView after)
    {
        DataViewSchema.Column[] inputs = [.. stage.Inputs.Select(c => before.Schema[c.Name])];
        var output = after.Schema[stage.Output.Name];
        using var given = before.GetRowCursor(inputs);
        using var made = after.GetRowCursor([output]);
        Func<double[]>[] readers = [.. inputs.Select(c => Numbers.Reader(given, c))];
        var result = Numbers.Reader(made, output);
        for (var row = 0; row < MostRows && given.MoveNext() && made.MoveNext(); row++)
        {
            double[] x = [.. readers.SelectMany(read => read())];
            var y = result();
            for (var i = 0; i < y.Length; i++)
                if (!map.Gives(i, x, y[i], out var expected))
                    throw stage.NotAffine($"at row {row} of the data, slot {i} of '{stage.Output.Name}' is {y[i]:G6}, where a straight line through its other values gives {expected:G6}");
        }
    }
}
