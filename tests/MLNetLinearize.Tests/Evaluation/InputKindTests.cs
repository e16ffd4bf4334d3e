using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetLinearize.Linearization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Tests.Rules;
using MLNetLinearize.Transforms;

namespace MLNetLinearize.Tests.Evaluation;

/// <summary>Evaluations by pixel and by column, of several inputs, of networks without a batch axis, and of loaded models.</summary>
public sealed class InputKindTests : IDisposable
{
    private readonly MLContext ml = new(seed: 1);
    private readonly string folder = Directory.CreateTempSubdirectory("evaluation-tests").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private sealed class Wide
    {
        [VectorType(3, 8, 9)]
        public float[] x { get; set; } = [];
    }

    private sealed class Pair
    {
        [VectorType(2)]
        public float[] left { get; set; } = [3, 1];
        [VectorType(2)]
        public float[] right { get; set; } = [2, -1];
    }

    private sealed class Person
    {
        public float Age { get; set; } = 4;
        [VectorType(2)]
        public float[] City { get; set; } = [0, 1];
    }

    private AttributionEvaluation Evaluate(ModelProto model, IDataView data, EvaluateOptions? options = null, LinearizeOptions? linearize = null)
    {
        using var transformer = new LinearizingEstimator(Compiler.Compile(model, linearize ?? new())).Fit(data);
        return transformer.Evaluate(data, options);
    }

    [Fact]
    public void PixelsLoseAllTheirChannels()
    {
        var net = new Net(17, 4);
        var x = net.Input("x", "N", 3, 8, 9);
        var pooled = net.Op("Flatten", [net.Op("GlobalAveragePool", [net.Op("Relu", [net.Op("Conv", [x, net.Weights(6, 3, 3, 3), net.Weights(6)])])])]);
        var random = new Random(5);
        var data = ml.Data.LoadFromEnumerable(Enumerable.Range(0, 3).Select(_ => new Wide { x = [.. Enumerable.Range(0, 216).Select(_ => random.NextSingle())] }).ToList());
        var evaluation = Evaluate(net.Build(net.Op("Gemm", [pooled, net.Weights(6, 4), net.Weights(4)]), "N", 4), data, new() { Steps = 6 });

        Assert.Equal((EvaluationUnit.Pixel, 72, EvaluationScale.Softmax), (evaluation.Unit, evaluation.Units, evaluation.Scale));
        Assert.InRange(evaluation.Methods[0].GradientCorrelation.Mean, 0.99, 1.0001);
        Assert.Equal(2, evaluation.RandomizedStages.Count);
        Assert.All(evaluation.RandomizedStages, s => Assert.InRange(s.StructuralSimilarity.Mean, -1, 0.999));
        // All pixels removed leave the empty image, by whatever way.
        Assert.All(evaluation.Methods, m => Assert.Equal(evaluation.Methods[0].Deletion[^1], m.Deletion[^1], 1e-6));
        Assert.All(evaluation.Methods, m => Assert.Equal(m.Deletion[^1], m.Insertion[0], 1e-6));
        Assert.All(evaluation.Methods, m => Assert.Equal(m.Deletion[0], m.Insertion[^1], 1e-6));
    }

    [Fact]
    public void ColumnsLoseAllTheirSlots()
    {
        var data = ml.Data.LoadFromEnumerable([new Person()], Named());
        var view = ml.Transforms.Concatenate("x", "Age", "City").Fit(data).Transform(data);
        // Score 0.5 · Age + 9 · Paris + 3 · Rome + 1: age contributes 2, the city 3, in all 6.
        var evaluation = Evaluate(HandWorkedTests.Linear([0.5f, 9, 3], [1]), view, new() { Unit = EvaluationUnit.Column, Shares = [0.5] });

        Assert.Equal((EvaluationUnit.Column, 2), (evaluation.Unit, evaluation.Units));
        Assert.Equal([6, 3, 1], evaluation.Methods[0].Deletion.Select(d => Math.Round(d, 5)));
        Assert.Equal([1, 4, 6], evaluation.Methods[0].Insertion.Select(d => Math.Round(d, 5)));
        Assert.Equal(3, evaluation.Methods[0].Comprehensiveness.Mean, 1e-5);
    }

    private static SchemaDefinition Named()
    {
        var schema = SchemaDefinition.Create(typeof(Person));
        schema[nameof(Person.City)].AddAnnotation("SlotNames", new VBuffer<ReadOnlyMemory<char>>(2, ["Paris".AsMemory(), "Rome".AsMemory()]), new VectorDataViewType(TextDataViewType.Instance, 2));
        return schema;
    }

    [Fact]
    public void SeveralInputs()
    {
        var net = new Net(17, 1);
        var (left, right) = (net.Input("left", "N", 2), net.Input("right", "N", 2));
        var model = net.Build(net.Op("Add", [net.Op("MatMul", [left, net.Floats([1, 2], 2, 1)]), net.Op("MatMul", [right, net.Floats([4, 5], 2, 1)])]), "N", 1);
        // Contributions 3, 2, 8 and −5, no bias: 8.
        var evaluation = Evaluate(model, ml.Data.LoadFromEnumerable([new Pair()]), new() { Shares = [0.5] }, new() { ExplainedInputs = ["left", "right"] });

        Assert.Equal(4, evaluation.Units);
        Assert.Equal([8, 0, -3, -5, 0], evaluation.Methods[0].Deletion.Select(d => Math.Round(d, 4)));
        Assert.Equal(11, evaluation.Methods[0].Comprehensiveness.Mean, 1e-4);
        // By one input alone the other stays: contributions 8 and −5.
        var one = Evaluate(model, ml.Data.LoadFromEnumerable([new Pair()]), new() { Shares = [0.5] }, new() { ExplainedInputs = ["right"] });
        Assert.Equal([8, 0, 5], one.Methods[0].Deletion.Select(d => Math.Round(d, 4)));
    }

    [Fact]
    public void OneRowPerRun()
    {
        // The softmax runs over the rows, so that they cannot share a run.
        var net = new Net(17, 3);
        var x = net.Input("x", "N", 6);
        var mixed = net.Op("Mul", [x, net.Op("Softmax", [x], ("axis", 0))]);
        var model = net.Build(net.Op("Gemm", [mixed, net.Weights(6, 3), net.Weights(3)]), "N", 3);
        var schema = SchemaDefinition.Create(typeof(Wide));
        schema[nameof(Wide.x)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, 6);
        var data = ml.Data.LoadFromEnumerable([new Wide { x = [1, 2, -1, 0.5f, 3, -2] }, new Wide { x = [0, 1, 1, -0.5f, 2, 1] }], schema);
        using var transformer = new LinearizingEstimator(Compiler.Compile(model, new())).Fit(data);
        Assert.True(transformer.Graph.IsRowByRow);
        var evaluation = transformer.Evaluate(data);

        Assert.Equal(2, evaluation.Explanations);
        Assert.InRange(evaluation.Methods[0].GradientCorrelation.Mean, 0.999, 1.0001);
        Assert.InRange(evaluation.Methods[0].LargestCompletenessError, 0, 1e-5);
    }

    [Fact]
    public void ALoadedModelSaysWhatItLacks()
    {
        var data = ml.Data.LoadFromEnumerable([new Wide { x = [1, 1, 2] }], Three());
        using var transformer = new LinearizingEstimator(Compiler.Compile(HandWorkedTests.Linear([2, -3, 0.5f], [1]), new())).Fit(data);
        var file = Path.Combine(folder, "model.zip");
        ml.Model.Save(transformer, data.Schema, file);
        var restored = ml.Model.RestoreLinearization(ml.Model.Load(file, out var schema), schema);
        using var stage = (LinearizingTransformer)(restored is IEnumerable<ITransformer> chain ? chain.Single() : restored);

        Assert.Contains("before it is saved", Assert.Throws<InvalidOperationException>(() => stage.Evaluate(data)).Message, StringComparison.Ordinal);

        static SchemaDefinition Three()
        {
            var schema = SchemaDefinition.Create(typeof(Wide));
            schema[nameof(Wide.x)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, 3);
            return schema;
        }
    }
}
