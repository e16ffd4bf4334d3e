using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetLinearize.Transforms;
using static MLNetLinearize.Tests.Preprocessing.SmallNets;

namespace MLNetLinearize.Tests.Transforms;

/// <summary>Slots read class|feature, where a column's annotations tell the classes.</summary>
public sealed class ClassNameTests : IDisposable
{
    private readonly MLContext ml = new(seed: 1);
    private readonly IDataView animals;
    private readonly string folder = Directory.CreateTempSubdirectory("class-name-tests").FullName;

    public ClassNameTests()
    {
        string[] names = ["cat", "dog", "owl", "dog", "cat", "owl"];
        var rows = ml.Data.LoadFromEnumerable(names.Select((n, i) => new Animal { Name = n, x = [i, 1, -i, 0.5f] }));
        animals = ml.Transforms.Conversion.MapValueToKey("Label", "Name").Append(ml.Transforms.Conversion.MapValueToKey("Number", "Legs"))
            .Append(ml.Transforms.Categorical.OneHotEncoding("Score", "Name")).Fit(rows).Transform(rows);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("Label", "all", "cat|[0]", "owl|[3]")]
    [InlineData("Score", "all", "cat|[0]", "owl|[3]")]
    [InlineData("Label", "classes", "owl|[0]", "cat|[3]")]
    [InlineData("Label", "top", "#1|[0]", "#2|[3]")]
    [InlineData("Label", "predicted", "[0]", "[3]")]
    public void TheColumnNamesTheOutputs(string column, string targets, string first, string last)
    {
        using var model = Estimator(column, targets).Fit(animals);
        var names = SlotNames(model.Transform(animals).Schema["Attribution"]);

        Assert.Equal((first, last), (names[0], names[^1]));
        Assert.All(model.Summarize(animals).Targets.Select(t => t.Name), n => Assert.Contains(n, new[] { "cat", "dog", "owl" }));
    }

    [Fact]
    public void TheNamesAreKeptWhereTheColumnIsNot()
    {
        using var model = Estimator("Label", "all").Fit(animals);
        var bare = ml.Data.LoadFromEnumerable([new Animal { x = [1, 2, 3, 4] }]);
        var file = Path.Combine(folder, "model.zip");
        ml.Model.Save(model, animals.Schema, file);
        using var restored = (LinearizingTransformer)ml.Model.RestoreLinearization(ml.Model.Load(file, out var schema), schema);

        Assert.Equal("dog|[0]", SlotNames(model.Transform(bare).Schema["Attribution"])[4]);
        Assert.Equal("dog|[0]", SlotNames(restored.Transform(bare).Schema["Attribution"])[4]);
        Assert.Equal(["cat", "dog", "owl"], model.Summarize(bare).Targets.Select(t => t.Name));
    }

    [Theory]
    [InlineData("Nothing", "Column 'Nothing'", "is missing")]
    [InlineData("x", "Column 'x'", "without either")]
    [InlineData("Number", "Column 'Number'", "with 1 names, but the network has 3 outputs")]
    public void AColumnThatTellsNoNamesIsRefused(string column, params string[] words)
    {
        var error = Assert.Throws<ArgumentException>(() => Estimator(column, "all").Fit(animals)).Message;

        Assert.All(words, w => Assert.Contains(w, error, StringComparison.Ordinal));
    }

    [Fact]
    public void ThePromiseChecksTheColumn()
    {
        var shape = Rows.ShapeOf(animals.Schema);

        Assert.Contains("without either", Assert.Throws<ArgumentException>(() => Estimator("x", "all").GetOutputSchema(shape)).Message, StringComparison.Ordinal);
        Assert.Contains("is missing", Assert.Throws<ArgumentException>(() => Estimator("Nothing", "all").GetOutputSchema(shape)).Message, StringComparison.Ordinal);
        Assert.Contains(Estimator("Label", "all").GetOutputSchema(shape), c => c.Name == "Attribution");
    }

    private LinearizingEstimator Estimator(string column, string targets) => new(new HandMadeGraph(3, new()
    {
        ClassNamesColumn = column,
        Targets = targets switch
        {
            "all" => Targets.All,
            "classes" => Targets.Classes(2, 0),
            "top" => Targets.Top(2),
            _ => Targets.Predicted,
        },
    }).Graph);

    private sealed class Animal
    {
        public string Name { get; set; } = "";
        public int Legs { get; set; }
        [VectorType(4)]
        public float[] x { get; set; } = [];
    }
}
