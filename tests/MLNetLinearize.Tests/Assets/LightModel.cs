using Microsoft.ML.OnnxRuntime;
using MLNetLinearize.Onnx;
using MLNetLinearize.Runtime;
using MLNetLinearize.Tests.Rules;

namespace MLNetLinearize.Tests.Assets;

/// <summary>One of the ImageNet architectures, with the output that the ONNX project's reference implementation gave on 0, 1/n, 2/n, …</summary>
internal sealed class LightModel
{
    /// <summary>Of the score, relative to the largest one.</summary>
    public const double LargestError = 1e-4;

    private readonly ModelProto model;
    private readonly float[] expected;
    private readonly string input;
    private readonly long[] shape;

    public LightModel(string file)
    {
        model = OnnxFile.Read(file);
        expected = TensorProto.Parser.ParseFrom(File.ReadAllBytes(file.Replace(".onnx", "_output_0.pb", StringComparison.Ordinal))).ToSingle();
        var info = model.Graph.Input.Single(i => model.Graph.Initializer.All(t => t.Name != i.Name));
        (input, shape) = (info.Name, [.. info.Type.TensorType.Shape.Dim.Select(d => d.DimValue)]);
        var count = shape.Aggregate(1L, (a, d) => a * d);
        Row = [.. Enumerable.Range(0, (int)count).Select(i => i / (float)count)];
    }

    /// <summary>What the reference implementation was fed.</summary>
    public float[] Row { get; }

    /// <summary>Errors of the score of a written linearization graph.</summary>
    public (double Expected, double Runtime) Errors(string written)
    {
        using var session = new InferenceSession(written);
        using var value = OrtArrays.Wrap(Row, shape);
        using var options = new RunOptions();
        using var results = session.Run(options, [input], [value], ["Score"]);
        return Errors(results[0].GetTensorDataAsSpan<float>().ToArray());
    }

    /// <summary>Errors of a score, relative to the largest: against the committed output, and against ONNX Runtime's own of what is explained.</summary>
    public (double Expected, double Runtime) Errors(float[] score)
    {
        // A last Softmax is cut: what is explained is its input, behind which the committed output lies.
        var last = model.Graph.Node.Single(n => n.Output.Contains(model.Graph.Output[0].Name));
        var isCut = last.OpType == "Softmax";
        using var original = new OriginalModel(model, isCut ? last.Input[0] : last.Output[0]);
        return (Error(expected, isCut ? Softmax(score) : score), Error(original.Run(input, Row, shape), score));
    }

    private static double Error(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        return expected.Zip(actual, (e, a) => (double)Math.Abs(e - a)).Max() / expected.Max(e => Math.Abs((double)e));
    }

    private static float[] Softmax(float[] score)
    {
        var exponentials = score.Select(s => Math.Exp((double)s - score.Max())).ToArray();
        return [.. exponentials.Select(e => (float)(e / exponentials.Sum()))];
    }
}
