using Microsoft.ML.OnnxRuntime;
using MLNetLinearize.Onnx;
using MLNetLinearize.Runtime;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Cli.Data;

/// <summary>
/// Changes the size of 8-bit images with ONNX Runtime's own Resize. With antialias its linear and cubic (a = −0.5) filters
/// widen as the image shrinks, and what a filter would take from beyond the border is left out, as in Pillow, with which
/// most networks' training images were made.
/// </summary>
internal sealed class ImageResizer : IDisposable
{
    private readonly InferenceSession session;
    private readonly RunOptions options = new();

    public ImageResizer(ResizeMethod method)
    {
        // Pillow's nearest takes the pixel whose area holds the new pixel's centre.
        var resize = method switch
        {
            ResizeMethod.Nearest => Nodes.Create("Resize", ["image", "", "", "sizes"], ["resized"], "resize", ("mode", "nearest"), ("nearest_mode", "round_prefer_ceil")),
            ResizeMethod.Linear => Nodes.Create("Resize", ["image", "", "", "sizes"], ["resized"], "resize", ("mode", "linear"), ("antialias", 1), ("exclude_outside", 1)),
            _ => Nodes.Create("Resize", ["image", "", "", "sizes"], ["resized"], "resize", ("mode", "cubic"), ("antialias", 1), ("exclude_outside", 1), ("cubic_coeff_a", -0.5f)),
        };
        var model = new ModelProto { IrVersion = 8, Graph = new GraphProto { Name = "resize" } };
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = 19 });
        model.Graph.Node.Add(resize);
        model.Graph.Input.Add(Graph.Value("image", DataType.Uint8, [1, 3, "h", "w"]));
        model.Graph.Input.Add(Graph.Value("sizes", DataType.Int64, [4]));
        model.Graph.Output.Add(Graph.Value("resized", DataType.Uint8, [1, 3, "H", "W"]));
        session = Sessions.Create(model, new LinearizeOptions());
    }

    /// <summary>Resizes an image of three planes, [3, h, w] to [3, H, W].</summary>
    public byte[] Resize(byte[] planes, int height, int width, int newHeight, int newWidth)
    {
        if ((height, width) == (newHeight, newWidth)) return planes;
        using var image = OrtArrays.Wrap(planes, [1, 3, height, width]);
        using var sizes = OrtArrays.Wrap(new long[] { 1, 3, newHeight, newWidth }, [4]);
        using var results = session.Run(options, ["image", "sizes"], [image, sizes], ["resized"]);
        return results[0].GetTensorDataAsSpan<byte>().ToArray();
    }

    public void Dispose()
    {
        session.Dispose();
        options.Dispose();
    }
}
