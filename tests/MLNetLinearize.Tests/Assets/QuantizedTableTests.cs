using System.Globalization;
using System.Text;
using Microsoft.ML.OnnxRuntime;
using MLNetLinearize.Onnx;
using MLNetLinearize.Runtime;
using MLNetLinearize.Tests.Documentation;

namespace MLNetLinearize.Tests.Assets;

/// <summary>
/// How far the explained scores of quantized networks lie from the file's own, and how far those of ONNX Runtime's optimizers do, whose integer
/// kernels round elsewhere. <c>MLNETLINEARIZE_UPDATE_QUANTIZED=1 dotnet test --filter QuantizedTableTests</c> measures again.
/// </summary>
public class QuantizedTableTests
{
    private const string Table = "tests/MLNetLinearize.Tests/Assets/quantized.txt";
    private const string Digits = "samples/models/digits-cnn-int8.onnx";
    private const string MobileNet = "cases/qdq8_mobilenet_score_2_logits_off";

    /// <summary>Largest difference, relative to the row's largest score, that is no other step but the rounding of float32.</summary>
    private const double Rounding = 1e-4;

    [Fact]
    public void Scores_of_the_digits_are_the_files_own()
    {
        var line = OfDigits();
        Assert.True(line.Ours <= Rounding, line.ToString());
    }

    [AssetFact]
    public void The_table_is_of_these_networks()
    {
        Line[] lines = [OfDigits(), OfMobileNet()];
        Assert.All(lines, l => Assert.True(l.Ours <= Rounding, l.ToString()));
        if (Environment.GetEnvironmentVariable("MLNETLINEARIZE_UPDATE_QUANTIZED") == "1") File.WriteAllText(Repository.File(Table), Text(lines));
        var rows = File.ReadAllLines(Repository.File(Table)).Skip(2).ToList();
        Assert.Equal(lines.Select(l => l.ToString().Split(' ')[0]), rows.Select(r => r.Split(' ')[0]));
        // The optimizers' figure depends on the processor; ours is the same on each.
        Assert.All(rows, r => Assert.True(double.Parse(r.Split(' ', StringSplitOptions.RemoveEmptyEntries)[2], CultureInfo.InvariantCulture) <= Rounding, r));
    }

    private static Line OfDigits()
    {
        var rows = File.ReadLines(Repository.File("samples/data/digits/digits.csv")).Skip(1)
            .Select(l => l.Split(',').Skip(1).Select(v => float.Parse(v, CultureInfo.InvariantCulture) / 16).ToArray());
        return Measure(Repository.File(Digits), "digits-cnn-int8.onnx", [.. rows], [1, 1, 8, 8]);
    }

    private static Line OfMobileNet()
    {
        var x = TensorProto.Parser.ParseFrom(File.ReadAllBytes(AssetFolder.File($"{MobileNet}/test_data_set_0/input_0.pb")));
        return Measure(AssetFolder.File($"{MobileNet}/model.onnx"), "MobileNet,_8_bits,_QDQ", [x.ToSingle()], [.. x.Dims]);
    }

    private static Line Measure(string file, string name, float[][] rows, long[] shape)
    {
        using var linearizer = new Linearizer(file);
        var model = OnnxFile.Read(file);
        var (input, output) = (linearizer.Graph.Inputs[0].Name, model.Graph.Output[0].Name);
        using var own = new InferenceSession(file, new SessionOptions { GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL });
        using var optimized = new InferenceSession(file);
        var line = new Line(name, rows.Length, 0, 0);
        foreach (var row in rows)
        {
            var expected = Run(own, input, row, shape, output);
            var scale = expected.Max(Math.Abs);
            double Off(IEnumerable<float> scores) => expected.Zip(scores, (e, s) => Math.Abs((double)e - s)).Max() / scale;
            line = line with { Ours = Math.Max(line.Ours, Off(linearizer.Explain(row).Scores)), Optimized = Math.Max(line.Optimized, Off(Run(optimized, input, row, shape, output))) };
        }
        return line;
    }

    private static float[] Run(InferenceSession session, string input, float[] row, long[] shape, string output)
    {
        using var value = OrtArrays.Wrap(row, shape);
        using var run = new RunOptions();
        using var results = session.Run(run, [input], [value], [output]);
        return results[0].GetTensorDataAsSpan<float>().ToArray();
    }

    private static string Text(IEnumerable<Line> lines)
    {
        var text = new StringBuilder($"{"network",-26}{"rows",6}{"explained",12}{"optimized",12}\n");
        text.Append("(largest difference from the scores of the file, unoptimized, relative to the row's largest: explained here, and as ONNX Runtime's optimizers have it)\n");
        foreach (var line in lines) text.Append(CultureInfo.InvariantCulture, $"{line}\n");
        return text.ToString();
    }

    private sealed record Line(string Name, int Rows, double Ours, double Optimized)
    {
        public override string ToString() => FormattableString.Invariant($"{Name,-26}{Rows,6}{Ours,12:G2}{Optimized,12:G2}");
    }
}
