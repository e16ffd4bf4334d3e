using LoadWithoutLibrary;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetLinearize.Linearization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Tests.Rules;
using MLNetLinearize.Transforms;

namespace MLNetLinearize.Tests.Transforms;

/// <summary>A loaded model gets its batches back out of its own file: same columns, same values, fewer runs.</summary>
public sealed class RestoreTests : IDisposable
{
    private readonly MLContext ml = new(seed: 1);
    private readonly string folder = Directory.CreateTempSubdirectory("restore-tests").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [MemberData(nameof(SaveTests.Cases), MemberType = typeof(SaveTests))]
    public void GivesTheSameSchemaAndValues(string name)
    {
        var data = LabelledRows.View(ml);
        using var transformer = new LinearizingEstimator(SaveTests.CasesByName[name]().Graph).Fit(data);
        var expected = ViewText.Of(transformer.Transform(data), SaveTests.Columns).ToList();
        var restored = Assert.IsType<LinearizingTransformer>(SaveAndRestore(transformer, data.Schema));

        Assert.Equal(transformer.GetOutputSchema(data.Schema).Select(c => (c.Name, c.Type)), restored.GetOutputSchema(data.Schema).Select(c => (c.Name, c.Type)));
        SaveTests.Same(expected, [.. ViewText.Of(restored.Transform(data), SaveTests.Columns)]);
        using var again = Assert.IsType<LinearizingTransformer>(SaveAndRestore(restored, data.Schema));
        SaveTests.Same(expected, [.. ViewText.Of(again.Transform(data), SaveTests.Columns)]);
        restored.Dispose();
    }

    [Fact]
    public void RunsBatchesAgainInsideAChainWithoutTheOriginalFile()
    {
        var digits = Digits();
        var copy = Path.Combine(folder, "network.onnx");
        File.Copy(Samples.Path("models/digits-cnn.onnx"), copy);
        var pipeline = ml.Transforms.ApplyOnnxModel("logits", "pixels", copy)
            .Append(ml.Transforms.Concatenate("twice", "pixels", "pixels").Append(ml.Transforms.Linearize(copy, new() { InputColumn = "pixels", Targets = Targets.Top(2), ClassNames = [.. "abcdefghij".Select(c => $"{c}")] })))
            .Append(ml.Transforms.CopyColumns("Contribution", "Attribution"));
        using var chain = pipeline.Fit(digits);
        var expected = chain.Transform(digits).GetColumn<float[]>("Contribution").ToList();
        var file = Path.Combine(folder, "model.zip");
        ml.Model.Save(chain, digits.Schema, file);
        File.Delete(copy);
        using var restored = (TransformerChain<ITransformer>)ml.Model.RestoreLinearization(ml.Model.Load(file, out var schema), schema, batchSize: 32, threads: 1);
        var result = restored.Transform(digits);

        foreach (var (left, right) in expected.Zip(result.GetColumn<float[]>("Contribution"))) Rows.Close(left, right, 1e-5f);
        var ours = restored.OfType<TransformerChain<ITransformer>>().SelectMany(t => t).OfType<LinearizingTransformer>().Single();
        Assert.Equal((200 + 31) / 32, ours.Sessions.Runs);
        Assert.Equal("piecewise linear", ours.Graph.Report.Nodes.First(n => n.Operator == "Relu").Rule);
        using var engine = ml.Model.CreatePredictionEngine<Pixels, Contributions>(restored, new PredictionEngineOptions { OwnsTransformer = false });
        Rows.Close(expected[0], engine.Predict(new Pixels { ink = digits.GetColumn<float[]>("ink").First(), pixels = digits.GetColumn<float[]>("pixels").First() }).Contribution, 1e-5f);
    }

    [Fact]
    public void ExplainedInnerTensorsAndMixedRowsComeBack()
    {
        // The mean over the first axis mixes rows, so this network goes row by row.
        var net = new Net(17, 5);
        var inner = net.Op("Relu", [net.Input("x", "N", 6)]);
        var mean = net.Op("ReduceMean", [inner], ("axes", Net.L(0)), ("keepdims", 1));
        var model = net.Build(net.Op("Gemm", [net.Op("Add", [inner, mean]), net.Weights(6, 2)]));
        var graph = LinearizationGraph.Compile(CaseRun.Stream(model), new() { ExplainedInputs = [inner], Targets = Targets.All });
        Assert.True(graph.IsRowByRow);
        var data = ml.Data.LoadFromEnumerable(new[] { new Six { x = [1, -2, 3, 4, 5, -6] }, new Six { x = [-1, 2, -3, 4, 5, 6] } });
        using var transformer = new LinearizingEstimator(graph).Fit(data);
        using var restored = (LinearizingTransformer)SaveAndRestore(transformer, data.Schema);

        Assert.Equal(graph.ExplainedInputs.Select(i => (i.Name, string.Join(',', i.RowShape))), restored.Graph.ExplainedInputs.Select(i => (i.Name, string.Join(',', i.RowShape))));
        Assert.True(restored.Graph.IsRowByRow);
        Assert.Equal(transformer.Transform(data).GetColumn<float[]>("Attribution"), restored.Transform(data).GetColumn<float[]>("Attribution"));
    }

    [Fact]
    public void AModelWithoutOurStageIsRefusedByTheNamesOfItsStages()
    {
        var data = Rows.Named(ml);
        var model = ml.Transforms.Concatenate("x", "a", "b", "c", "d").Append(ml.Transforms.CopyColumns("y", "x")).Fit(data);
        var error = Assert.Throws<ArgumentException>(() => ml.Model.RestoreLinearization(model, data.Schema));

        Assert.Contains("no stage that MLNetLinearize saved", error.Message, StringComparison.Ordinal);
        Assert.Contains("ColumnConcatenatingTransformer; ColumnCopyingTransformer", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{", "damaged")]
    [InlineData("{}", "damaged")]
    [InlineData("\"layout\":2→\"layout\":1", "in layout 1; this version reads layout 2")]
    [InlineData("\"targets\":\"predicted\"→\"targets\":\"best\"", "targets 'best'")]
    [InlineData("\"type\":\"Single\"→\"type\":\"Half\"", "of type 'Half'")]
    [InlineData("\"output\":\"Bias\"→\"output\":\"Rest\"", "output of a column is 'Rest', expected one of a linearization graph's outputs")]
    public void ChangedMetadataIsRefused(string change, string words)
    {
        var model = StockStage.Build(new ColumnBinding(new HandMadeGraph(2).Graph, Rows.View(ml, 1).Schema));
        var entry = model.MetadataProps.Single(p => p.Key == "mlnetlinearize");
        entry.Value = change.Split('→') is [var old, var now] ? entry.Value.Replace(old, now, StringComparison.Ordinal) : change;
        ModelSeal.Put(model);
        var error = Assert.Throws<InvalidModelException>(() =>
        {
            var facts = SavedGraph.FactsOf(model, "the test")!;
            SavedGraph.Restore(model, facts, facts.Options(null, null, false, null));
        });

        Assert.Contains(words, error.Message, StringComparison.Ordinal);
    }

    private ITransformer SaveAndRestore(ITransformer model, DataViewSchema schema)
    {
        var file = Path.Combine(folder, $"{Guid.NewGuid():N}.zip");
        ml.Model.Save(model, schema, file);
        var loaded = ml.Model.Load(file, out var saved);
        return ml.Model.RestoreLinearization(loaded, saved);
    }

    private IDataView Digits()
    {
        var loader = ml.Data.CreateTextLoader([new("ink", DataKind.Single, 1, 64)], separatorChar: ',', hasHeader: true);
        var table = ml.Data.TakeRows(loader.Load(Samples.Path("data/digits/digits.csv")), 200);
        return ml.Transforms.Expression("pixels", "ink => ink / 16", "ink").Fit(table).Transform(table);
    }

    private sealed class Pixels
    {
        [VectorType(64)]
        public float[] ink { get; set; } = [];
        [VectorType(64)]
        public float[] pixels { get; set; } = [];
    }

    private sealed class Contributions
    {
        public float[] Contribution { get; set; } = [];
    }

    private sealed class Six
    {
        [VectorType(6)]
        public float[] x { get; set; } = [];
    }
}
