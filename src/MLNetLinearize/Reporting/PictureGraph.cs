using MLNetLinearize.Onnx;
using MLNetLinearize.Rules;
using MLNetLinearize.Runtime;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Reporting;

/// <summary>What a picture is drawn of.</summary>
/// <param name="Output">Column of the result.</param>
/// <param name="Attribution">Column of contributions.</param>
/// <param name="Targets">Number of targets in it.</param>
/// <param name="Shape">Shape of one target's contributions.</param>
/// <param name="Options">How it is drawn.</param>
/// <param name="Photograph">Column of the pixels below, its type and shape; null for a plain map.</param>
internal sealed record PicturePlan(string Output, string Attribution, int Targets, ImageShape Shape, AttributionImageOptions Options, (string Column, Type Type, ImageShape Shape)? Photograph);

/// <summary>
/// The colours of <see cref="HeatMap"/> as an ONNX graph: contributions in, [3, H, W] of red, green and blue from 0 to 255 out.
/// A saved model then draws the same picture where this library is absent. The colours are looked up in the table that
/// <see cref="DivergingColors"/> makes.
/// </summary>
internal sealed class PictureGraph
{
    private const int Opset = 18, IrVersion = 8, ArmSteps = 255, NotANumber = 2 * ArmSteps + 1;

    /// <summary>Grey level of the darkest pixel below: lighter than both end colours, so that these stand out everywhere.</summary>
    public const float DarkestBelow = 112;

    private readonly PicturePlan plan;
    private readonly Graph graph;
    private readonly Emitter e;
    private readonly long pixels;

    private PictureGraph(PicturePlan plan)
    {
        this.plan = plan;
        var model = new ModelProto { IrVersion = IrVersion, ProducerName = "MLNetLinearize", Graph = new GraphProto { Name = "picture" } };
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = Opset });
        graph = new Graph(model);
        graph.Inputs.Add(Graph.Value(plan.Attribution, DataType.Float, [1L, (long)plan.Targets * plan.Shape.Length]));
        if (plan.Photograph is { } photo) graph.Inputs.Add(Graph.Value(photo.Column, OrtArrays.TypeOf(photo.Type), [1L, (long)photo.Shape.Length]));
        graph.Outputs.Add(Graph.Value(plan.Output, DataType.Float, [3L, (long)plan.Shape.Height, (long)plan.Shape.Width]));
        e = new Emitter(graph, Prefix(plan));
        pixels = (long)plan.Shape.Height * plan.Shape.Width;
    }

    public static ModelProto Build(PicturePlan plan) => new PictureGraph(plan).Build();

    private ModelProto Build()
    {
        var (options, shape) = (plan.Options, plan.Shape);
        var value = e.Reshape(Smoothed(Contributions()), pixels);
        var share = e.Div(value, options.Scale is { } shared ? e.Scalar(shared) : OwnScale(e.Op("Abs", [value])));
        if (options.IsAbsolute) share = e.Op("Abs", [share]);
        var unknown = e.Op("IsNaN", [share]);
        share = e.Op("Clip", [e.Op("Where", [unknown, e.Scalar(0), share]), e.Scalar(-1), e.Scalar(1)]);
        var colors = plan.Photograph is { } photo ? Over(photo, share, unknown) : Colors(e.Mul(share, e.Scalar(ArmSteps)), unknown);
        var bytes = e.Op("Round", [e.Op("Clip", [colors, e.Scalar(0), e.Scalar(255)])]);
        e.Op("Reshape", [bytes, e.Ints(3, shape.Height, shape.Width)], plan.Output);
        return graph.ToModel();
    }

    /// <summary>One value a pixel, [H, W]: of the target, summed over channels or of one channel.</summary>
    private string Contributions()
    {
        var shape = plan.Shape;
        var targets = e.Reshape(plan.Attribution, plan.Targets, shape.Length);
        var planes = Planes(e.Slice(targets, plan.Options.Target, plan.Options.Target + 1, 0), shape);
        if (plan.Options.Channel is { } channel) planes = e.Slice(planes, channel, channel + 1, 0);
        return e.Reshape(e.ReduceSum(planes, 0), shape.Height, shape.Width);
    }

    /// <summary>Rows of pixels, one for each channel.</summary>
    private string Planes(string image, ImageShape shape) =>
        shape.ChannelsLast ? e.Transpose(e.Reshape(image, pixels, shape.Channels), 1, 0) : e.Reshape(image, shape.Channels, pixels);

    private string Smoothed(string map)
    {
        if (plan.Options.Smoothing == 0) return map;
        var (h, w) = (plan.Shape.Height, plan.Shape.Width);
        var down = e.Floats(Regions.Matrix(h, plan.Options.Smoothing), h, h);
        var across = e.Transpose(e.Floats(Regions.Matrix(w, plan.Options.Smoothing), w, w), 1, 0);
        return e.MatMul(e.MatMul(down, map), across);
    }

    /// <summary>As <see cref="HeatMap.Scale"/>: the quantile of the sizes that are not 0; 1 where all are.</summary>
    private string OwnScale(string sizes)
    {
        var (sorted, _) = e.Two("TopK", [sizes, e.Ints(pixels)], ("axis", 0), ("largest", 1), ("sorted", 1));
        // For each number of sizes that are not 0, the place of the quantile among the sorted ones.
        var places = graph.AddInitializer(Tensors.Of("picture places", (long[])[.. Enumerable.Range(0, (int)pixels + 1).Select(n => n == 0 ? 0 : n - (long)Math.Ceiling(plan.Options.Coverage * n))], pixels + 1));
        var count = e.ReduceSum(e.Cast(e.Op("Greater", [sizes, e.Scalar(0)]), DataType.Int64), 0);
        var scale = e.Op("Gather", [sorted, e.Op("Gather", [places, count])]);
        return e.Op("Where", [e.Op("Greater", [scale, e.Scalar(0)]), scale, e.Scalar(1)]);
    }

    /// <summary>Red, green and blue, [3, pixels], of steps from −255 to 255.</summary>
    private string Colors(string steps, string unknown)
    {
        var table = Enumerable.Range(-ArmSteps, 2 * ArmSteps + 1).Select(s => DivergingColors.Of((double)s / ArmSteps)).Append(DivergingColors.Of(double.NaN)).SelectMany(c => new float[] { c.Red, c.Green, c.Blue });
        var index = e.Op("Where", [unknown, e.Scalar(NotANumber), e.Add(e.Op("Round", [steps]), e.Scalar(ArmSteps))]);
        return e.Transpose(e.Op("Gather", [e.Floats([.. table], NotANumber + 1, 3), e.Cast(index, DataType.Int64)]), 1, 0);
    }

    /// <summary>The full colours of for and against over the picture in grey, as strong as their share.</summary>
    private string Over((string Column, Type Type, ImageShape Shape) photo, string share, string unknown)
    {
        var planes = Planes(photo.Type == typeof(float) ? photo.Column : e.Cast(photo.Column, DataType.Float), photo.Shape);
        // Luma by ITU-R BT.601.
        var grey = photo.Shape.Channels == 1 ? planes : e.MatMul(e.Floats([0.299f, 0.587f, 0.114f], 1, 3), planes);
        var low = e.Op("ReduceMin", [grey, e.Ints(1)], ("keepdims", 1));
        var range = e.Sub(e.Op("ReduceMax", [grey, e.Ints(1)], ("keepdims", 1)), low);
        range = e.Op("Where", [e.Op("Greater", [range, e.Scalar(0)]), range, e.Scalar(1)]);
        var below = e.Add(e.Mul(e.Div(e.Sub(grey, low), range), e.Scalar(255 - DarkestBelow)), e.Scalar(DarkestBelow));
        var full = Colors(e.Mul(e.Op("Sign", [share]), e.Scalar(ArmSteps)), unknown);
        var cover = e.Mul(e.Op("Where", [unknown, e.Scalar(1), e.Op("Abs", [share])]), e.Scalar((float)plan.Options.Opacity));
        return e.Add(below, e.Mul(cover, e.Sub(full, below)));
    }

    /// <summary>What inner tensors begin with: nothing that a column's name does.</summary>
    private static string Prefix(PicturePlan plan)
    {
        var prefix = "picture/";
        while (new[] { plan.Output, plan.Attribution, plan.Photograph?.Column ?? "" }.Any(c => c.StartsWith(prefix, StringComparison.Ordinal))) prefix = "_" + prefix;
        return prefix;
    }
}
