using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetLinearize.Tests.Assets;
using MLNetLinearize.Transforms;

namespace MLNetLinearize.Tests.Transforms;

/// <summary>Real networks, with whatever batch axes and shapes they have, as columns: live, and saved and loaded.</summary>
public sealed class RealNetworkColumnTests : IDisposable
{
    private const int Count = 3;

    private readonly MLContext ml = new(seed: 1);
    private readonly string folder = Directory.CreateTempSubdirectory("real-network-tests").FullName;

    public static TheoryData<string> Files => [.. RealNetwork.All.Select(n => n.File)];

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [AssetTheory]
    [MemberData(nameof(Files))]
    public void ASavedModelGivesTheSameColumns(string file)
    {
        var network = RealNetwork.All.Single(n => n.File == file);
        var graph = LinearizationGraph.Compile(AssetFolder.File(file), new() { InputColumn = "Values", Targets = Targets.Top(2) });
        var definition = SchemaDefinition.Create(typeof(Input));
        definition["Values"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, graph.Inputs[0].RowLength);
        var data = ml.Data.LoadFromEnumerable(network.Rows(Count).Select(r => new Input { Values = r }), definition);
        using var transformer = new LinearizingEstimator(graph).Fit(data);
        var saved = Path.Combine(folder, "model.zip");
        ml.Model.Save(transformer, data.Schema, saved);
        var loaded = ml.Model.Load(saved, out _);
        var (live, stored) = (transformer.Transform(data), loaded.Transform(data));

        Assert.Equal(live.Schema.Select(c => (c.Name, c.Type, c.HasSlotNames())), stored.Schema.Select(c => (c.Name, c.Type, c.HasSlotNames())));
        Assert.Equal(live.GetColumn<long[]>("ExplainedTarget"), stored.GetColumn<long[]>("ExplainedTarget"));
        foreach (var column in new[] { "Attribution", "Bias", "Weights", "ExplainedScore" })
            foreach (var (left, right) in live.GetColumn<float[]>(column).Zip(stored.GetColumn<float[]>(column)))
            {
                var scale = left.Max(Math.Abs);
                Assert.All(left.Zip(right), pair => Assert.True(Math.Abs(pair.First - pair.Second) <= 1e-5f * Math.Max(1, scale), $"{column}: {pair.First} and {pair.Second}"));
            }
        (loaded as IDisposable)?.Dispose();
    }

    private sealed class Input
    {
        public float[] Values { get; set; } = [];
    }
}
