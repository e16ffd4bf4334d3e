using MLNetLinearize.Onnx;
using MLNetLinearize.Runtime;
using MLNetLinearize.Tests.Documentation;
using MLNetLinearize.Tests.Rules;

namespace MLNetLinearize.Tests.TrainedNetworks;

/// <summary>A vision transformer, a recurrent text classifier and a network of 8 bits, on every held-out row of real data.</summary>
public class TrainedNetworkTests(Xunit.Abstractions.ITestOutputHelper output)
{
    /// <summary>What the project asks for. The worst of the rows is in the output of each test.</summary>
    private const float LargestError = 1e-4f;

    [Theory]
    [InlineData(Nonlinearity.Tangent)]
    [InlineData(Nonlinearity.Frozen)]
    public void The_vision_transformer_is_explained_exactly_on_every_held_out_digit(Nonlinearity mode)
    {
        var (pixels, labels) = Digits();
        Check("digits-vit.onnx", new() { Nonlinearity = mode }, "pixels", pixels, labels, minimum: 0.98);
    }

    [Theory]
    [InlineData(Nonlinearity.Tangent)]
    [InlineData(Nonlinearity.Frozen)]
    public void The_network_of_8_bits_is_explained_exactly_and_much_like_the_one_it_stands_for(Nonlinearity mode)
    {
        var (pixels, labels) = Digits();
        var rounded = Check("digits-cnn-int8.onnx", new() { Nonlinearity = mode }, "pixels", pixels, labels, minimum: 0.99);
        var whole = Check("digits-cnn.onnx", new() { Nonlinearity = mode }, "pixels", pixels, labels, minimum: 0.99);
        var cosines = Enumerable.Range(0, labels.Length).Select(r => Cosine(rounded.Single("Weights", r), whole.Single("Weights", r))).Order().ToList();
        output.WriteLine($"cosine of W to that of the float network: lowest {cosines[0]:F3}, median {cosines[labels.Length / 2]:F3}");
        Assert.InRange(cosines[labels.Length / 2], 0.95, 1.0001);
        // A few rows lie where rounding turns units on or off, or another class wins.
        Assert.InRange(cosines.Count(c => c < 0.8), 0, labels.Length / 20);
    }

    [Theory]
    [InlineData(Nonlinearity.Tangent)]
    [InlineData(Nonlinearity.Frozen)]
    public void The_recurrent_classifier_is_explained_exactly_on_every_held_out_name(Nonlinearity mode)
    {
        string[] languages = ["de", "en", "es", "fi", "fr", "it", "nl", "pl", "pt", "sv"];
        const int Length = 24;
        var ids = File.ReadAllText(Repository.File("samples/data/cldr-names/characters.txt")).TrimEnd('\r', '\n').Select((c, i) => (c, i)).ToDictionary(p => p.c, p => p.i + 2L);
        var rows = File.ReadLines(Repository.File("samples/data/cldr-names/names.csv")).Skip(1).Select(line => line.Split(',', 5)).Where(r => r[3] == "1").ToList();
        long[] Characters(string name)
        {
            var tail = name.Trim('"').TakeLast(Length).Select(c => ids.GetValueOrDefault(c, 1)).ToArray();
            return [.. new long[Length - tail.Length], .. tail];
        }

        var embedding = OnnxFile.Read(Repository.File("samples/models/names-lstm.onnx")).Graph.Node.First(n => n.OpType == "Gather").Output[0];
        Check("names-lstm.onnx", new() { Nonlinearity = mode, ExplainedInputs = [embedding] }, "characters", [.. rows.SelectMany(r => Characters(r[4]))], [.. rows.Select(r => Array.IndexOf(languages, r[0]))], minimum: 0.7);
    }

    /// <summary>The score is ONNX Runtime's own on the original file, contributions and bias add up to it, and the network knows its task.</summary>
    private ExplanationBatch Check<T>(string file, LinearizeOptions options, string input, T[] values, int[] labels, double minimum)
    {
        var path = Repository.File($"samples/models/{file}");
        var graph = LinearizationGraph.Compile(path, options);
        Assert.Null(graph.Report.RowByRowReason);
        using var session = new ExplanationSession(graph);
        var batch = session.Run(new Dictionary<string, Array> { [input] = values }, labels.Length);
        using var original = new OriginalModel(OnnxFile.Read(path), "logits");
        var scores = original.Run(input, values, [labels.Length, .. OnnxFile.Read(path).Graph.Input[0].Type.TensorType.Shape.Dim.Skip(1).Select(d => d.DimValue)]);
        var (correct, worst) = (0, 0f);
        for (var r = 0; r < labels.Length; r++)
        {
            var own = scores.AsSpan(r * 10, 10).ToArray();
            Agreement.AssertClose(own.Widened(), batch.Single("Score", r).ToArray().Widened(), $"score of row {r}", 1e-5, 1e-5);
            var target = (int)batch.Int64("ExplainedTarget", r)[0];
            Assert.Equal(Array.IndexOf(own, own.Max()), target);
            Assert.InRange(batch.Single("LinearizationError", r)[0], 0, LargestError);
            // The column is no mere claim: the sum is made again here.
            var sum = batch.Single("Attribution", r).ToArray().Sum(v => (double)v) + batch.Single("Bias", r)[0];
            Assert.InRange(Math.Abs(sum - own[target]) / Math.Max(1, Math.Abs(own[target])), 0, LargestError);
            worst = Math.Max(worst, batch.Single("LinearizationError", r)[0]);
            if (target == labels[r]) correct++;
        }
        output.WriteLine($"{file}, {options.Nonlinearity}: {correct} of {labels.Length} right, worst error {worst:G2}");
        Assert.InRange(correct / (double)labels.Length, minimum, 1);
        return batch;
    }

    private static (float[] Pixels, int[] Labels) Digits()
    {
        var rows = File.ReadLines(Repository.File("samples/data/digits/digits.csv")).Skip(1).Where((_, i) => i % 7 == 0)
            .Select(line => line.Split(',').Select(v => float.Parse(v, null)).ToArray()).ToList();
        return ([.. rows.SelectMany(r => r.Skip(1).Select(v => v / 16))], [.. rows.Select(r => (int)r[0])]);
    }

    private static double Cosine(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        var (ab, aa, bb) = (0.0, 0.0, 0.0);
        for (var i = 0; i < a.Length; i++) (ab, aa, bb) = (ab + a[i] * b[i], aa + a[i] * a[i], bb + b[i] * b[i]);
        return ab / Math.Sqrt(aa * bb);
    }
}
