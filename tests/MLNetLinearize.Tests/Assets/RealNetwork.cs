using MLNetLinearize.Onnx;

namespace MLNetLinearize.Tests.Assets;

/// <summary>A real network with real rows.</summary>
/// <param name="File">Model file.</param>
/// <param name="Rows">Reads that many rows.</param>
/// <param name="ComparedElements">How many of the largest and of random elements of W are compared; null compares all.</param>
/// <param name="OracleRows">Rows that are compared with the oracle.</param>
/// <param name="Noise">What moves a row off the kinks: about half a grey level.</param>
internal sealed record RealNetwork(string File, Func<int, float[][]> Rows, int? ComparedElements = null, int OracleRows = 20, float Noise = 0)
{
    /// <summary>Which outputs the exactness checks explain.</summary>
    public Targets Targets { get; init; } = Targets.All;

    public ModelProto Model => OnnxFile.Read(AssetFolder.File(File));

    /// <summary>Name and one-row shape of the model's only real input.</summary>
    public static (string Name, long[] Shape) Input(ModelProto model)
    {
        var input = model.Graph.Input.Single(i => model.Graph.Initializer.All(t => t.Name != i.Name));
        return (input.Name, [.. input.Type.TensorType.Shape.Dim.Select(d => d.HasDimValue ? d.DimValue : 1)]);
    }

    /// <summary>The tensor that is explained: the output, or what a last Softmax reads.</summary>
    public static string Explained(ModelProto model)
    {
        var output = model.Graph.Output[0].Name;
        return model.Graph.Node.SingleOrDefault(n => n.OpType == "Softmax" && n.Output[0] == output)?.Input[0] ?? output;
    }

    /// <summary>Rows with a little noise. Plain images tie exactly where they are constant, and there two correct maps may differ.</summary>
    public float[][] RowsOffKinks(int count)
    {
        var random = new Random(11);
        return [.. Rows(count).Select(row => row.Select(v => v + Noise * (random.NextSingle() - 0.5f)).ToArray())];
    }

    public static IReadOnlyList<RealNetwork> All { get; } =
    [
        new("models/acasxu/ACASXU_run2a_1_1_batch_2000.onnx", RealInputs.AcasXu),
        new("models/acasxu/eran_ACASXU_run2a_1_1_batch_2000.onnx", RealInputs.AcasXu),
        new("models/acasxu/eran_ACASXU_run2a_3_3_batch_2000.onnx", RealInputs.AcasXu),
        new("models/tabular/winml_iris_Network.onnx", RealInputs.Iris),
        new("models/tabular/winml_iris_Regression.onnx", RealInputs.Iris),
        new("models/mnist/marabou_mnist2x5_sigmoid.onnx", n => RealInputs.Mnist(n, p => p / 255), Noise: 1 / 255f),
        new("models/mnist/marabou_mnist5x20_leaky_relu.onnx", n => RealInputs.Mnist(n, p => p / 255), Noise: 1 / 255f),
        new("models/mnist/marabou_softmax-last-layer.onnx", n => RealInputs.Mnist(n, p => p / 255), Noise: 1 / 255f),
        new("models/mnist/mnist_onnx-mlir.onnx", n => RealInputs.Mnist(n, p => (p / 255 - 0.1307f) / 0.3081f), OracleRows: 5, Noise: 1 / 79f),
        new("models/mnist/mnist_cntk.onnx", n => RealInputs.Mnist(n, p => p), OracleRows: 2, Noise: 1),
        new("models/mnist/marabou_cnn_max_mninst2.onnx", n => RealInputs.Mnist(n, p => p / 255), OracleRows: 2, Noise: 1 / 255f),
        new("models/cifar10/winml_ImageClassifier.onnx", n => RealInputs.Cifar(n, [0.5f, 0.5f, 0.5f], [0.5f, 0.5f, 0.5f]), ComparedElements: 3, OracleRows: 3, Noise: 1 / 127f),
        new("models/cifar10/cifar_base_kw.onnx", n => RealInputs.Cifar(n, [0.485f, 0.456f, 0.406f], [0.225f, 0.225f, 0.225f]), ComparedElements: 5, OracleRows: 5, Noise: 1 / 57f),
        new("models/cifar10/sri_resnet_a_3b2.onnx", n => RealInputs.Cifar(n, [0.4914f, 0.4822f, 0.4465f], [0.2471f, 0.2435f, 0.2616f]), ComparedElements: 3, OracleRows: 3, Noise: 1 / 62f),
        new("models/imagenet/derived_SqueezeNet_fp32_upcast.onnx", RealInputs.Photographs, ComparedElements: 1, OracleRows: 1, Noise: 1) { Targets = Targets.Top(2) },
    ];
}
