using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNetLinearize.Tests.Documentation;

/// <summary>README's example, compiled and run. What stands between the marks is README's text, which a test compares.</summary>
public class ReadmeExample
{
    [Fact]
    public void The_example_runs_and_its_numbers_add_up()
    {
        var output = new StringWriter();
        var console = Console.Out;
        try
        {
            Console.SetOut(output);
            Example();
        }
        finally
        {
            Console.SetOut(console);
            File.Delete("digits-explained.zip");
        }
        var lines = output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(3, lines.Length);
        foreach (var line in lines)
        {
            var numbers = System.Text.RegularExpressions.Regex.Matches(line, @"-?\d+\.\d+").Select(m => double.Parse(m.Value, System.Globalization.CultureInfo.InvariantCulture)).ToArray();
            Assert.Equal(3, numbers.Length);
            Assert.Equal(numbers[0], numbers[1] + numbers[2], 0.002);
        }
    }

    private static void Example()
    {
        // README
        var ml = new MLContext();
        var data = ml.Data.LoadFromTextFile("samples/data/digits/digits.csv",
            [new("Label", DataKind.Int32, 0), new("raw", DataKind.Single, 1, 64)], separatorChar: ',', hasHeader: true);
        var model = ml.Transforms.Expression("pixels", "x => x / 16", "raw")
            .Append(ml.Transforms.ApplyOnnxModel("logits", "pixels", "samples/models/digits-cnn.onnx"))
            .Append(ml.Transforms.Linearize("samples/models/digits-cnn.onnx"))
            .Fit(data);
        foreach (var row in ml.Data.CreateEnumerable<Explained>(model.Transform(data), reuseRowObject: false).Take(3))
            Console.WriteLine($"{row.Label}: score {row.ExplainedScore[0]:F3} = pixels {row.Attribution.Sum():F3} + bias {row.Bias[0]:F3}");
        ml.Model.Save(model, data.Schema, "digits-explained.zip"); // loads, and explains, wherever ML.NET does
        // /README
    }

    private sealed class Explained
    {
        public int Label { get; set; }

        public float[] Attribution { get; set; } = [];

        public float[] Bias { get; set; } = [];

        public float[] ExplainedScore { get; set; } = [];
    }
}
