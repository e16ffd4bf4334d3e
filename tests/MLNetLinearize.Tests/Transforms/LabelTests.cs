using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetLinearize.Transforms;

namespace MLNetLinearize.Tests.Transforms;

/// <summary>Targets.FromColumn: a label of any type names the class it names, not the order in which ML.NET met it.</summary>
public class LabelTests
{
    private static readonly string[] ClassNames = ["ant", "bee", "cow"];

    private readonly MLContext ml = new(seed: 1);

    [Theory]
    [InlineData("Class")]
    [InlineData("Whole")]
    [InlineData("Name")]
    [InlineData("Key")]
    [InlineData("NumberKey")]
    public void EveryTypeNamesTheClass(string column)
    {
        var data = LabelledRows.View(ml);
        var net = new HandMadeGraph(3, new() { Targets = Targets.FromColumn(column), ClassNames = ClassNames });
        using var transformer = new LinearizingEstimator(net.Graph).Fit(data);
        var result = transformer.Transform(data);
        var targets = result.GetColumn<long[]>("ExplainedTarget").Select(t => (int)t[0]).ToList();
        var biases = result.GetColumn<float[]>("Bias").Select(b => b[0]).ToList();

        Assert.Equal(LabelledRows.Classes, targets);
        Assert.Equal(LabelledRows.Classes.Select(c => c < 0 ? float.NaN : net.Offsets[c]), biases);
    }

    [Fact]
    public void KeysThatAreNumbersAsTextNeedNoClassNames()
    {
        var data = ml.Transforms.Conversion.MapValueToKey("Key", "Text").Fit(Digits()).Transform(Digits());
        var net = new HandMadeGraph(3, new() { Targets = Targets.FromColumn("Key") });
        using var transformer = new LinearizingEstimator(net.Graph).Fit(data);

        // 7 is a number that the network has no output for.
        Assert.Equal([2, 0, -1, 1], transformer.Transform(data).GetColumn<long[]>("ExplainedTarget").Select(t => t[0]));
    }

    [Fact]
    public void KeysAreReadAnewForOtherData()
    {
        // Fitted on keys in one order, applied to keys in another.
        var net = new HandMadeGraph(3, new() { Targets = Targets.FromColumn("Key"), ClassNames = ClassNames });
        using var transformer = new LinearizingEstimator(net.Graph).Fit(LabelledRows.View(ml));
        var other = ml.Data.LoadFromEnumerable(Rows.Make(2).Zip(ClassNames, (row, name) => new Row { x = row.x, Text = name }));
        var keyed = ml.Transforms.Conversion.MapValueToKey("Key", "Text").Fit(other).Transform(other);

        Assert.Equal([0, 1], transformer.Transform(keyed).GetColumn<long[]>("ExplainedTarget").Select(t => t[0]));
    }

    [Fact]
    public void KeysThatNameNoClassAreRefused()
    {
        Refused("Key", null, "name no class of the network", "cow", "LinearizeOptions.ClassNames");
        Refused("Key", ["ant", "bee", "dog"], "[cow]", "[ant; bee; dog]");
    }

    [Fact]
    public void TextWithoutClassNamesIsRefused() => Refused("Name", null, "text, and no class names are known", "LinearizeOptions.ClassNames");

    [Fact]
    public void VectorsAndOtherThingsAreRefused()
    {
        Refused("x", null, "a row has one label");
        Refused("Missing", null, "Column 'Missing' of Targets.FromColumn is missing", "Class: Int32");
    }

    [Fact]
    public void KeysWithoutKeyValuesAreRefused()
    {
        var schema = Rows.SchemaOf(("x", new VectorDataViewType(NumberDataViewType.Single, 4)), ("Key", new KeyDataViewType(typeof(uint), 3)));
        var estimator = new LinearizingEstimator(new HandMadeGraph(3, new() { Targets = Targets.FromColumn("Key") }).Graph);
        var error = Assert.Throws<ArgumentException>(() => estimator.Fit(new EmptyView(schema)));
        Assert.Contains("a key without key values", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => estimator.GetOutputSchema(Rows.ShapeOf(schema)));
    }

    private void Refused(string column, string[]? classNames, params string[] words)
    {
        var data = LabelledRows.View(ml);
        var estimator = new LinearizingEstimator(new HandMadeGraph(3, new() { Targets = Targets.FromColumn(column), ClassNames = classNames }).Graph);
        var error = Assert.Throws<ArgumentException>(() => estimator.Fit(data));
        Assert.All(words, w => Assert.Contains(w, error.Message, StringComparison.Ordinal));
    }

    private IDataView Digits() => ml.Data.LoadFromEnumerable(new[] { "2", "0", "7", "1" }.Zip(Rows.Make(4), (label, row) => new Row { x = row.x, Text = label }));
}
