using System.Collections.Immutable;
using Microsoft.ML;
using Microsoft.ML.Calibrators;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers;
using Microsoft.ML.Trainers.FastTree;
using Microsoft.ML.Transforms;
using MLNetLinearize.Onnx;

namespace MLNetLinearize.Tests.Assets;

/// <summary>
/// Pipelines that ML.NET trained on 699 tumours, in its exporter's spelling: a column for each measurement, one of them as text.
/// The scores are ML.NET's own, and W is the trained model's known weights.
/// </summary>
public sealed class MlNetModelTests : IDisposable
{
    private static readonly string[] Numbers = ["Thickness", "Size", "Shape", "Adhesion", "Epithelial", "Chromatin", "Nucleoli", "Mitoses"];
    private static readonly int[] Places = [1, 2, 3, 4, 5, 7, 8, 9];

    private readonly MLContext ml = new(seed: 1);
    private readonly string folder = Directory.CreateTempSubdirectory("mlnet-model-tests").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [AssetFact]
    public void A_linear_models_weights_are_the_trained_ones_times_the_normalizers_scale()
    {
        var (trained, data) = Train(ml.BinaryClassification.Trainers.SdcaLogisticRegression());
        var parameters = (CalibratedModelParametersBase<LinearBinaryModelParameters, PlattCalibrator>)((ISingleFeaturePredictionTransformer<object>)trained.LastTransformer).Model;
        var weights = parameters.SubModel.Weights.ToArray();
        var scale = Scale(trained);
        var file = Write(Spelling(trained, data).Linear(weights, parameters.SubModel.Bias, parameters.Calibrator));

        using var transformer = ml.Transforms.Linearize(file).Fit(data);
        var explained = transformer.Transform(data);
        AssertScores(trained, data, explained);
        for (var k = 0; k < Numbers.Length; k++)
        {
            var values = data.GetColumn<float>(Numbers[k]).ToArray();
            var columns = explained.GetColumn<float[]>($"Weights.{Numbers[k]}").Zip(explained.GetColumn<float[]>($"Attribution.{Numbers[k]}")).ToList();
            for (var r = 0; r < values.Length; r++)
            {
                Assert.Equal(weights[k] * scale[k], columns[r].First[0], 1e-5f);
                Assert.Equal(weights[k] * scale[k] * values[r], columns[r].Second[0], 1e-4f);
            }
        }
        // The text is a constant of the row: its weight is in the bias.
        var texts = data.GetColumn<ReadOnlyMemory<char>>("Nuclei").Select(t => t.ToString()).ToArray();
        var names = Categories(trained, data);
        var biases = explained.GetColumn<float[]>("Bias").ToArray();
        for (var r = 0; r < texts.Length; r++)
        {
            var slot = Numbers.Length + names.IndexOf(texts[r]);
            Assert.Equal(parameters.SubModel.Bias + weights[slot] * scale[slot], biases[r][0], 1e-4f);
        }
    }

    [AssetFact]
    public void A_forest_has_no_slope_and_the_report_says_so()
    {
        var (trained, data) = Train(ml.BinaryClassification.Trainers.FastTree(numberOfTrees: 10));
        var parameters = (CalibratedModelParametersBase<FastTreeBinaryModelParameters, PlattCalibrator>)((ISingleFeaturePredictionTransformer<object>)trained.LastTransformer).Model;
        var file = Write(Spelling(trained, data).Trees(parameters.SubModel.TrainedTreeEnsemble, parameters.Calibrator));

        using var transformer = ml.Transforms.Linearize(file).Fit(data);
        var explained = transformer.Transform(data);
        AssertScores(trained, data, explained);
        foreach (var name in Numbers) Assert.All(explained.GetColumn<float[]>($"Weights.{name}"), w => Assert.Equal(0, w[0]));
        Assert.Equal(explained.GetColumn<float[]>("ExplainedScore").SelectMany(s => s), explained.GetColumn<float[]>("Bias").SelectMany(b => b));

        var report = LinearizationGraph.Compile(file).Report;
        Assert.Contains(report.Notes, n => n.Contains("'Size'", StringComparison.Ordinal) && n.Contains("TreeEnsembleRegressor", StringComparison.Ordinal) && n.Contains("slope 0", StringComparison.Ordinal));
        Assert.Equal("constant", report.Nodes.Single(n => n.Operator == "ai.onnx.ml.TreeEnsembleRegressor").Rule);
    }

    [AssetFact]
    public void A_probability_is_explained_by_its_logit_and_a_saved_pipeline_says_the_same()
    {
        var (trained, data) = Train(ml.BinaryClassification.Trainers.SdcaLogisticRegression());
        var parameters = (CalibratedModelParametersBase<LinearBinaryModelParameters, PlattCalibrator>)((ISingleFeaturePredictionTransformer<object>)trained.LastTransformer).Model;
        var file = Write(Spelling(trained, data).Linear(parameters.SubModel.Weights, parameters.SubModel.Bias, parameters.Calibrator));
        using var transformer = ml.Transforms.Linearize(file, new() { ExplainedOutput = "linearOutput" }).Fit(data);
        var live = transformer.Transform(data);
        var probabilities = trained.Transform(data).GetColumn<float>("Probability");
        foreach (var (p, logit) in probabilities.Zip(live.GetColumn<float[]>("ExplainedScore"))) Assert.Equal(p, 1 / (1 + MathF.Exp(-logit[0])), 1e-5f);

        var saved = Path.Combine(folder, "explained.zip");
        ml.Model.Save(transformer, data.Schema, saved);
        var stored = ml.Model.Load(saved, out _).Transform(data);
        foreach (var column in new[] { "Attribution.Size", "Bias", "ExplainedScore" })
            foreach (var (left, right) in live.GetColumn<float[]>(column).Zip(stored.GetColumn<float[]>(column))) Assert.Equal(left[0], right[0], 1e-5f);
    }

    private static void AssertScores(ITransformer trained, IDataView data, IDataView explained)
    {
        var expected = trained.Transform(data).GetColumn<float>("Score").ToArray();
        var scores = explained.GetColumn<float[]>("ExplainedScore").ToArray();
        Assert.Equal(699, expected.Length);
        for (var r = 0; r < expected.Length; r++) Assert.Equal(expected[r], scores[r][0], 1e-4f);
        Assert.All(explained.GetColumn<float[]>("LinearizationError"), e => Assert.InRange(e[0], 0, 1e-5f));
    }

    private (TransformerChain<ITransformer> Trained, IDataView Data) Train(IEstimator<ITransformer> trainer)
    {
        TextLoader.Column[] columns = [new("Label", DataKind.Boolean, 0), .. Numbers.Zip(Places, (n, p) => new TextLoader.Column(n, DataKind.Single, p)), new("Nuclei", DataKind.String, 6)];
        var path = Path.Combine(folder, "tumours.tsv");
        File.WriteAllLines(path, File.ReadLines(AssetFolder.File("data/tabular/mlnet_breast-cancer.txt")).Where(l => !l.StartsWith("//", StringComparison.Ordinal)));
        var data = ml.Data.LoadFromTextFile(path, columns);
        var pipeline = ml.Transforms.Categorical.OneHotEncoding("NucleiHot", "Nuclei")
            .Append(ml.Transforms.Concatenate("Raw", [.. Numbers, "NucleiHot"]))
            .Append(ml.Transforms.NormalizeMinMax("Features", "Raw"))
            .Append(trainer);
        return (pipeline.Fit(data), data);
    }

    private static MlNetModel Spelling(TransformerChain<ITransformer> trained, IDataView data) => new(Numbers, "Nuclei", Categories(trained, data), Scale(trained));

    private static float[] Scale(TransformerChain<ITransformer> trained)
    {
        var affine = (NormalizingTransformer.AffineNormalizerModelParameters<ImmutableArray<float>>)trained.OfType<NormalizingTransformer>().Single().GetNormalizerModelParameters(0);
        Assert.All(affine.Offset, o => Assert.Equal(0, o));
        return [.. affine.Scale];
    }

    private static List<string> Categories(TransformerChain<ITransformer> trained, IDataView data)
    {
        var names = default(VBuffer<ReadOnlyMemory<char>>);
        trained.Transform(data).Schema["NucleiHot"].GetSlotNames(ref names);
        return [.. names.DenseValues().Select(n => n.ToString())];
    }

    private string Write(ModelProto model)
    {
        var file = Path.Combine(folder, "exported.onnx");
        OnnxFile.Write(model, file);
        return file;
    }
}
