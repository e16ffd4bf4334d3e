using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetLinearize.Tests.Rules;
using MLNetLinearize.Transforms;

namespace MLNetLinearize.Tests.Transforms;

/// <summary>Contributions of slots summed to those of the columns that the user knows.</summary>
public sealed class GroupedAttributionTests : IDisposable
{
    private static readonly string[] Cities = ["Paris", "Rome", "Paris", "Oslo"];

    private readonly MLContext ml = new(seed: 1);
    private readonly string folder = Directory.CreateTempSubdirectory("grouped-tests").FullName;
    private readonly IDataView people;

    public GroupedAttributionTests()
    {
        var raw = ml.Data.LoadFromEnumerable(Cities.Select((c, i) => new Person { City = c, Age = 0.5f + i, Size = [i, 2 * i] }));
        people = ml.Transforms.Categorical.OneHotEncoding("City").Append(ml.Transforms.Concatenate("x", "City", "Age", "Size")).Fit(raw).Transform(raw);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void SlotsOfAColumnAreSummed()
    {
        var net = new HandMadeGraph(2, Options(Targets.All), ("x", [6]));
        using var transformer = new LinearizingEstimator(net.Graph).Fit(people);
        var result = transformer.Transform(people);
        var grouped = result.GetColumn<float[]>("Grouped").ToList();
        var inputs = people.GetColumn<float[]>("x").ToList();

        // Concatenate names no slot of a vector that has no names itself: those two stand for themselves.
        Assert.Equal(["cat|City", "cat|Age", "cat|[4]", "cat|[5]", "dog|City", "dog|Age", "dog|[4]", "dog|[5]"], SlotNames(result.Schema["Grouped"]));
        Assert.Equal(new VectorDataViewType(NumberDataViewType.Single, 2, 4), result.Schema["Grouped"].Type);
        for (var i = 0; i < inputs.Count; i++)
        {
            var expected = Enumerable.Range(0, 2).SelectMany(c =>
            {
                var a = net.Attribution(c, inputs[i]);
                return new[] { a[0] + a[1] + a[2], a[3], a[4], a[5] };
            });
            Rows.Close([.. expected], grouped[i]);
        }
    }

    [Fact]
    public void TheSumsSurviveSavingLoadingAndRestoring()
    {
        using var transformer = new LinearizingEstimator(new HandMadeGraph(2, Options(Targets.Top(2)), ("x", [6])).Graph).Fit(people);
        var file = Path.Combine(folder, "model.zip");
        ml.Model.Save(transformer, people.Schema, file);
        var loaded = ml.Model.Load(file, out var schema);
        var stock = loaded.Transform(people);
        var (types, names, values) = (stock.Schema["Grouped"].Type, SlotNames(stock.Schema["Grouped"]), stock.GetColumn<float[]>("Grouped").ToList());
        using var restored = (LinearizingTransformer)ml.Model.RestoreLinearization(loaded, schema);
        var (before, after) = (transformer.Transform(people), restored.Transform(people));

        Assert.Equal((before.Schema["Grouped"].Type, before.Schema["Grouped"].Type), (types, after.Schema["Grouped"].Type));
        Assert.Equal(["#1|City", "#1|Age", "#1|[4]", "#1|[5]", "#2|City", "#2|Age", "#2|[4]", "#2|[5]"], names);
        Assert.Equal(names, SlotNames(before.Schema["Grouped"]));
        Assert.Equal(names, SlotNames(after.Schema["Grouped"]));
        var expected = before.GetColumn<float[]>("Grouped").ToList();
        foreach (var (e, (a, b)) in expected.Zip(values.Zip(after.GetColumn<float[]>("Grouped"))))
        {
            Rows.Close(e, a);
            Rows.Close(e, b);
        }
    }

    [Fact]
    public void AColumnWithoutSlotNamesIsOneColumn()
    {
        var net = new HandMadeGraph(3, new() { GroupedAttributionColumn = "Grouped", AttributionColumn = null, TopFeatures = 1 });
        var rows = Rows.Make(10);
        using var transformer = new LinearizingEstimator(net.Graph).Fit(ml.Data.LoadFromEnumerable(rows));
        var result = transformer.Transform(ml.Data.LoadFromEnumerable(rows));

        Assert.Equal(["x"], SlotNames(result.Schema["Grouped"]));
        foreach (var (row, value) in rows.Zip(result.GetColumn<float[]>("Grouped"))) Rows.Close([net.Attribution(net.Predicted(row.x), row.x).Sum()], value);
    }

    [Fact]
    public void ThePromiseHasTheColumn()
    {
        var estimator = new LinearizingEstimator(new HandMadeGraph(2, Options(Targets.All), ("x", [6])).Graph);
        var promised = estimator.GetOutputSchema(Rows.ShapeOf(people.Schema));
        using var fitted = estimator.Fit(people);

        Assert.Equal(Rows.Write(Rows.ShapeOf(fitted.GetOutputSchema(people.Schema))), Rows.Write(promised));
        Assert.Contains("Grouped Vector Single [SlotNames]", Rows.Write(promised), StringComparison.Ordinal);
    }

    [Fact]
    public void InnerTensorsHaveNoColumns()
    {
        var net = new Net(17, 5);
        var inner = net.Op("Relu", [net.Input("x", "N", 6)]);
        var graph = LinearizationGraph.Compile(CaseRun.Stream(net.Build(net.Op("Gemm", [inner, net.Weights(6, 2)]))), new() { ExplainedInputs = [inner], GroupedAttributionColumn = "Grouped" });
        var error = Assert.Throws<ArgumentException>(() => new LinearizingEstimator(graph).Fit(people));

        Assert.Contains($"explained by the inner tensor '{inner}'", error.Message, StringComparison.Ordinal);
        Assert.Contains("GroupedAttributionColumn", error.Message, StringComparison.Ordinal);
    }

    private static LinearizeOptions Options(Targets targets) => new() { Targets = targets, ClassNames = ["cat", "dog"], GroupedAttributionColumn = "Grouped" };

    private static List<string> SlotNames(DataViewSchema.Column column)
    {
        var names = default(VBuffer<ReadOnlyMemory<char>>);
        column.GetSlotNames(ref names);
        return [.. names.DenseValues().Select(n => n.ToString())];
    }

    private sealed class Person
    {
        public string City { get; set; } = "";
        public float Age { get; set; }
        [VectorType(2)]
        public float[] Size { get; set; } = [];
    }
}
