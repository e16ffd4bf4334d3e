using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetLinearize.Transforms;

namespace MLNetLinearize.Tests.Transforms;

/// <summary>The estimator in many settings passes what ML.NET asks of its own.</summary>
public class EstimatorWorkoutTests
{
    private readonly MLContext ml = new(seed: 1);

    public static TheoryData<string> Cases => [.. SaveTests.CasesByName.Keys];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Settings(string name)
    {
        var graph = SaveTests.CasesByName[name]().Graph;
        // Batches of 4 over 6 rows, so that a boundary lies inside.
        var o = graph.Options;
        var options = new LinearizeOptions
        {
            InputColumn = o.InputColumn,
            InputColumns = o.InputColumns,
            Targets = o.Targets,
            ClassNames = o.ClassNames,
            TopFeatures = o.TopFeatures,
            AttributionColumn = o.AttributionColumn,
            BiasColumn = o.BiasColumn,
            GroupedAttributionColumn = o.GroupedAttributionColumn,
            BatchSize = 4,
        };
        new EstimatorWorkout(ml, LabelledRows.View(ml)).Run(new LinearizingEstimator(
            new LinearizationGraph(graph.Model, graph.Inputs, graph.ExplainedInputs, graph.OutputCount, graph.TargetCount, graph.IsRowByRow, options, graph.Report)));
    }

    [Theory]
    [InlineData("digits-mlp.onnx")]
    [InlineData("digits-cnn.onnx")]
    public void CompiledNetworks(string model)
    {
        var random = new Random(4);
        var data = ml.Data.LoadFromEnumerable(Enumerable.Range(0, 9).Select(i => new Digit { Id = i, pixels = [.. Enumerable.Range(0, 64).Select(_ => random.NextSingle())] }).ToList());
        new EstimatorWorkout(ml, data).Run(ml.Transforms.Linearize(Samples.Path("models/" + model), new() { InputColumn = "pixels", Targets = Targets.Top(2), BatchSize = 4 }));
    }

    private sealed class Digit
    {
        public long Id { get; set; }
        [VectorType(64)]
        public float[] pixels { get; set; } = [];
    }
}
