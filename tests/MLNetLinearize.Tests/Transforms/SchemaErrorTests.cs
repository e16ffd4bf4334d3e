using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetLinearize.Transforms;

namespace MLNetLinearize.Tests.Transforms;

/// <summary>What is wrong with a schema is said before a row is read, by both Fit and GetOutputSchema where it can be seen.</summary>
public class SchemaErrorTests
{
    private static readonly VectorDataViewType Four = new(NumberDataViewType.Single, 4);

    [Fact]
    public void MissingColumn() => Refused(new(), [("y", Four), ("Label", TextDataViewType.Instance)],
        "Column 'x' is missing", "input 'x'", "a vector of 4 Single", "y: Vector<Single, 4>; Label: String", "LinearizeOptions.InputColumn");

    [Fact]
    public void MissingColumnOfTheOption() => Refused(new() { InputColumn = "pixels" }, [("x", Four)], "Column 'pixels' is missing", "input 'x'");

    [Fact]
    public void OtherNumbers() => Refused(new(), [("x", new VectorDataViewType(NumberDataViewType.Double, 4))], "must be a vector of 4 Single", "Double", "ConvertType(\"x\", outputKind: DataKind.Single)");

    [Fact]
    public void Keys() => Refused(new(), [("x", new VectorDataViewType(new KeyDataViewType(typeof(uint), 5), 4))], "must be a vector of 4 Single", "Key<UInt32");

    [Fact]
    public void ScalarForAVector() => Refused(new(), [("x", NumberDataViewType.Single)], "must be a vector of 4 Single", "Single");

    [Fact]
    public void UnknownSize() => Refused(new(), [("x", new VectorDataViewType(NumberDataViewType.Single))], "whose size may differ by row", "[VectorType(n)]");

    [Fact]
    public void OtherSize()
    {
        // The shape of a schema holds no sizes, so only Fit can see this one.
        var error = Assert.Throws<ArgumentException>(() => new LinearizingEstimator(new HandMadeGraph(2).Graph).Fit(new EmptyView(Rows.SchemaOf(("x", new VectorDataViewType(NumberDataViewType.Single, 5))))));
        Assert.Contains("must be a vector of 4 Single (shape [4]), but it is Vector<Single, 5> with 5 values", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TakenName() => Refused(new(), [("x", Four), ("Bias", NumberDataViewType.Single)], "already has a column 'Bias'", "LinearizeOptions.BiasColumn");

    [Fact]
    public void OneNameTwice() => Refused(new() { BiasColumn = "b", WeightsColumn = "b" }, [("x", Four)], "both make a column 'b'", "BiasColumn", "WeightsColumn");

    [Fact]
    public void EmptyName() => Refused(new() { BiasColumn = "" }, [("x", Four)], "LinearizeOptions.BiasColumn is empty");

    [Fact]
    public void NameThatChangesOnSaving() => Refused(new() { BiasColumn = "b.output" }, [("x", Four)], "'b.output'", "'.output'", "LinearizeOptions.BiasColumn");

    [Fact]
    public void NoColumnAtAll() => Refused(
        new() { AttributionColumn = null, BiasColumn = null, WeightsColumn = null, ExplainedTargetColumn = null, ExplainedScoreColumn = null, LinearizationErrorColumn = null }, [("x", Four)], "no column to append");

    [Fact]
    public void BothInputOptions() => Refused(new() { InputColumn = "x", InputColumns = new Dictionary<string, string> { ["x"] = "x" } }, [("x", Four)], "InputColumn and InputColumns are both set");

    [Fact]
    public void UnknownInputInTheOption() => Refused(new() { InputColumns = new Dictionary<string, string> { ["z"] = "x" } }, [("x", Four)], "names the input 'z'", "Its inputs: 'x'");

    [Fact]
    public void OneColumnForTwoInputs()
    {
        var graph = new HandMadeGraph(2, new() { InputColumn = "x" }, ("left", [4]), ("right", [1])).Graph;
        var error = Assert.Throws<ArgumentException>(() => new LinearizingEstimator(graph).Fit(new EmptyView(Rows.SchemaOf(("x", Four)))));
        Assert.Contains("the model has 2 inputs: 'left', 'right'. Set InputColumns", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TopFeaturesBelowOne() => Refused(new() { TopFeatures = 0 }, [("x", Four)], "TopFeatures is 0");

    [Fact]
    public void MoreNamesThanClasses() => Refused(new() { ClassNames = ["a", "b", "c"] }, [("x", Four)], "ClassNames has 3 names, but the network has 2 outputs");

    [Fact]
    public void ARowOfAnotherSizeThanItsColumn()
    {
        var ml = new MLContext();
        var view = ml.Data.LoadFromEnumerable(Rows.Make(2));
        using var transformer = new LinearizingEstimator(new HandMadeGraph(2).Graph).Fit(view);
        var rows = Rows.Make(3);
        rows[1].x = [1, 2];
        var error = Assert.ThrowsAny<Exception>(() => transformer.Transform(ml.Data.LoadFromEnumerable(rows)).GetColumn<float[]>("Bias").ToList());
        Assert.Contains("x", error.Message, StringComparison.Ordinal);
    }

    private static void Refused(LinearizeOptions options, (string, DataViewType)[] columns, params string[] words)
    {
        var schema = Rows.SchemaOf(columns);
        var estimator = new LinearizingEstimator(new HandMadeGraph(2, options).Graph);
        var fit = Assert.Throws<ArgumentException>(() => estimator.Fit(new EmptyView(schema)));
        Assert.All(words, w => Assert.Contains(w, fit.Message, StringComparison.Ordinal));
        var promise = Assert.Throws<ArgumentException>(() => estimator.GetOutputSchema(Rows.ShapeOf(schema)));
        Assert.Contains(words[0], promise.Message, StringComparison.Ordinal);
    }
}
