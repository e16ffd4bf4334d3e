using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetLinearize.Tests.Transforms;

namespace MLNetLinearize.Tests.Preprocessing;

/// <summary>What cannot be pulled back is refused by the stage's name, before a row is read.</summary>
public class StageRefusalTests
{
    private readonly MLContext ml = new(seed: 1);
    private readonly List<Measurement> rows = Measurement.Make(60);
    private readonly IDataView data;

    public StageRefusalTests() => data = ml.Data.LoadFromEnumerable(rows);

    [Theory]
    [InlineData("one-hot", "Stage 2", "OneHotEncodingTransformer", "['City'] → 'City'", "String")]
    [InlineData("binning", "Stage 2", "NormalizingTransformer", "['V'] → 'n'", "bins")]
    [InlineData("log", "Stage 1", "NormalizingTransformer", "['V'] → 'f'", "distribution")]
    [InlineData("distribution", "Stage 1", "NormalizingTransformer", "['V'] → 'f'", "distribution")]
    [InlineData("lp-norm", "Stage 1", "LpNormNormalizingTransformer", "['V'] → 'f'", "")]
    [InlineData("contrast", "Stage 1", "LpNormNormalizingTransformer", "['V'] → 'f'", "")]
    [InlineData("sentinel", "Stage 1", "ExpressionTransformer", "['V'] → 'f'", "nothing in its kind makes it one")]
    [InlineData("custom", "Stage 1", "CustomMappingTransformer", "['V'] → 'f'", "nothing in its kind makes it one")]
    [InlineData("fewer digits", "Stage 1", "TypeConvertingTransformer", "['Count'] → 'i'", "it rounds Int32 to SByte")]
    [InlineData("clipped", "Stage 1", "ExpressionTransformer", "['V'] → 'f'", "")]
    [InlineData("squared", "Stage 1", "ExpressionTransformer", "['V'] → 'f'", "")]
    [InlineData("text", "Stage 1", "", "['City'] → 'f'", "String")]
    public void AStageThatIsNotAffineIsNamed(string chain, params string[] words)
    {
        var estimator = chain switch
        {
            "one-hot" => ml.Transforms.CopyColumns("v", "V").Append(ml.Transforms.Categorical.OneHotEncoding("City")).Append(ml.Transforms.Concatenate("f", "City", "v")),
            "binning" => ml.Transforms.CopyColumns("c", "B").Append(ml.Transforms.NormalizeBinning("n", "V")).Append(ml.Transforms.Concatenate("f", "n", "c")),
            "log" => ml.Transforms.NormalizeLogMeanVariance("f", "V", useCdf: true),
            "distribution" => ml.Transforms.NormalizeMeanVariance("f", "V", useCdf: true),
            "lp-norm" => ml.Transforms.NormalizeLpNorm("f", "V"),
            "contrast" => ml.Transforms.NormalizeGlobalContrast("f", "V"),
            "sentinel" => ml.Transforms.Expression("f", "v => v == -999f ? 0f : v / 16", "V"),
            "custom" => ml.Transforms.CustomMapping<Vs, Fs>((from, to) => to.f = from.V, null),
            "fewer digits" => ml.Transforms.Conversion.ConvertType("i", "Count", DataKind.SByte).Append(ml.Transforms.Conversion.ConvertType("f", "i")),
            "clipped" => ml.Transforms.Expression("f", "v => min(v, 1)", "V"),
            "squared" => ml.Transforms.Expression("f", "v => v * v", "V"),
            _ => (IEstimator<ITransformer>)ml.Transforms.Conversion.ConvertType("f", "City", DataKind.Single),
        };
        var error = Refused(estimator, data);

        Assert.All(words, w => Assert.Contains(w, error, StringComparison.Ordinal));
        Assert.Contains("is not affine", error, StringComparison.Ordinal);
        Assert.Contains("Hand over the stages behind it alone", error, StringComparison.Ordinal);
    }

    [Fact]
    public void TheStagesBehindARefusedOneArePulledBack()
    {
        var encoded = ml.Transforms.Categorical.OneHotEncoding("City").Fit(data).Transform(data);
        var behind = ml.Transforms.NormalizeMinMax("b", "B").Append(ml.Transforms.Concatenate("f", "City", "b")).Fit(encoded);
        using var stream = new MemoryStream(SmallNets.Make(3, isLinear: false));
        using var explained = ml.Transforms.Linearize(stream, new() { InputColumn = "f", Preprocessing = new(behind, encoded.Schema) }).Fit(encoded);

        Assert.Equal(["B", "City.Paris", "City.Rome"], SmallNets.SlotNames(explained.GetOutputSchema(encoded.Schema)["Attribution"]).Order());
    }

    [Fact]
    public void AColumnThatNoStageMakesIsNamed()
    {
        var error = Refused(ml.Transforms.CopyColumns("g", "V"), data);

        Assert.Contains("makes no column 'f'", error, StringComparison.Ordinal);
        Assert.Contains("A; B; V", error, StringComparison.Ordinal);
    }

    [Fact]
    public void DataThatNoLongerShowsARawColumnIsRefused()
    {
        var prepared = ml.Transforms.NormalizeMinMax("V").Append(ml.Transforms.CopyColumns("f", "V")).Fit(data);
        using var stream = new MemoryStream(SmallNets.Make(4, isLinear: false));
        var estimator = ml.Transforms.Linearize(stream, new() { InputColumn = "f", Preprocessing = new(prepared, data.Schema) });
        using var explained = estimator.Fit(data);
        var error = Assert.Throws<ArgumentException>(() => explained.Transform(prepared.Transform(data))).Message;

        Assert.Contains("Column 'V'", error, StringComparison.Ordinal);
        Assert.Contains("in front of the preprocessing", error, StringComparison.Ordinal);
    }

    [Fact]
    public void InnerTensorsAreNotPulledBack()
    {
        var prepared = ml.Transforms.CopyColumns("f", "V").Fit(data);
        using var stream = new MemoryStream(SmallNets.Make(4, isLinear: false));
        var estimator = ml.Transforms.Linearize(stream, new() { InputColumn = "f", Preprocessing = new(prepared, data.Schema), ExplainedInputs = ["Relu2_0"] });

        Assert.Contains("ExplainedInputs names 'Relu2_0'", Assert.Throws<ArgumentException>(() => estimator.Fit(data)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnotherSizeThanTheModelTakesIsNamed()
    {
        var error = Assert.Throws<InvalidModelException>(() => Fit(ml.Transforms.Concatenate("f", "A", "B"), data)).Message;

        Assert.Contains("'f'", error, StringComparison.Ordinal);
        Assert.Contains("has 2 values; the model takes 4", error, StringComparison.Ordinal);
    }

    private string Refused(IEstimator<ITransformer> preprocessing, IDataView view) => Assert.Throws<ArgumentException>(() => Fit(preprocessing, view)).Message;

    private void Fit(IEstimator<ITransformer> preprocessing, IDataView view)
    {
        using var stream = new MemoryStream(SmallNets.Make(4, isLinear: false));
        ml.Transforms.Linearize(stream, new() { InputColumn = "f", Preprocessing = new(preprocessing.Fit(view), view.Schema) }).Fit(view).Dispose();
    }

    private sealed class Vs
    {
        [VectorType(4)]
        public float[] V { get; set; } = [];
    }

    private sealed class Fs
    {
        [VectorType(4)]
        public float[] f { get; set; } = [];
    }
}
