using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNetLinearize.Tests.Transforms;

/// <summary>Rows whose label stands there in every type: the classes are ant 0, bee 1, cow 2, and cow appears first.</summary>
internal static class LabelledRows
{
    private static readonly string[] Names = ["cow", "ant", "", "bee", "cow", "bee"];

    /// <summary>Class of each row; −1 where it has none.</summary>
    public static readonly int[] Classes = [2, 0, -1, 1, 2, 1];

    public static IDataView View(MLContext ml)
    {
        var rows = Rows.Make(6);
        var labelled = Enumerable.Range(0, 6).Select(i => new LabelledRow { Id = i, x = rows[i].x, Number = rows[i].Number, Name = Names[i], Class = Classes[i], Whole = Classes[i] < 0 ? float.NaN : Classes[i] });
        var view = ml.Data.LoadFromEnumerable(labelled);
        return ml.Transforms.Conversion.MapValueToKey("Key", "Name").Append(ml.Transforms.Conversion.MapValueToKey("NumberKey", "Class")).Fit(view).Transform(view);
    }

    public sealed class LabelledRow
    {
        public long Id { get; set; }
        [VectorType(4)]
        public float[] x { get; set; } = [];
        public float Number { get; set; }
        public string Name { get; set; } = "";
        public int Class { get; set; }
        public float Whole { get; set; }
    }
}
