using Microsoft.ML;
using MLNetLinearize.Transforms;

namespace MLNetLinearize.Preprocessing;

/// <summary>A fitted stage on the way to the model, as it makes one column.</summary>
/// <param name="Transformer">The stage.</param>
/// <param name="Number">Its place in the preprocessing, from 1.</param>
/// <param name="Schema">The schema that goes into it.</param>
/// <param name="Inputs">The columns of that schema that it reads to make the output.</param>
/// <param name="Output">The column, in the schema that comes out.</param>
internal sealed record Stage(ITransformer Transformer, int Number, DataViewSchema Schema, IReadOnlyList<DataViewSchema.Column> Inputs, DataViewSchema.Column Output)
{
    /// <summary>Runs the stage over rows, in one pass, and hands on what it gives.</summary>
    public void Run(int rows, ProbeValues values, Action<int, double[]> read)
    {
        var view = Transformer.Transform(new ProbeView(Schema, rows, values));
        using var cursor = view.GetRowCursor([view.Schema[Output.Index]]);
        var result = Numbers.Reader(cursor, cursor.Schema[Output.Index]);
        for (var row = 0; row < rows; row++) read(row, cursor.MoveNext() ? result() : throw NotAffine("it leaves rows out"));
    }

    public ArgumentException NotAffine(string why) => new(
        $"Stage {Number} of LinearizeOptions.{nameof(LinearizeOptions.Preprocessing)}, {Transforms.TypeNames.Of(Transformer.GetType())} ([{InputColumn.Quoted(Inputs.Select(c => c.Name))}] → '{Output.Name}'), is not affine: {why}. " +
        "Only y = A·x + c can be pulled back exactly. Hand over the stages behind it alone; the columns that it makes are the raw columns then.");
}
