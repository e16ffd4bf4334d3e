using System.CommandLine;
using MLNetLinearize.Cli.Data;
using MLNetLinearize.Cli.Output;
using MLNetLinearize.Reporting;

namespace MLNetLinearize.Cli.Commands;

/// <summary>Arguments about pictures.</summary>
internal sealed class PictureOptions
{
    public Option<string?> Picture { get; } = new("--picture", "-p") { HelpName = "FILE.png", Description = "Draw a contact sheet: photographs beside the maps of which pixels spoke for and against, right answers first, then the mistakes beside the map of the true class. Where --targets names one class or a difference of two, every map is of that." };

    public Option<string?> ImageShape { get; } = new("--image-shape") { HelpName = "HxW", Description = "Shape of the images for pictures and reports where the network takes them as a line of numbers." };

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { Picture, ImageShape }) command.Add(option);
    }

    /// <summary>The file that these arguments name.</summary>
    public NamedPath File(ParseResult result) => new("--picture", result.GetValue(Picture));

    /// <summary>Refuses a picture whose name says another format.</summary>
    public void Check(ParseResult result) => Paths.CheckExtension(File(result), "PNG", ".png");

    /// <summary>The image that maps are drawn over.</summary>
    public ImageShape ReadShape(ParseResult result, string argument, LinearizationGraph graph, InputPreprocessing preprocessing) => MapShape.Of(argument, result.GetValue(ImageShape), graph, preprocessing);

    /// <summary>The image that a row of the data is, or null where it is none.</summary>
    public ImageShape? ReadShapeOrNull(ParseResult result, LinearizationGraph graph, InputPreprocessing preprocessing) =>
        result.GetValue(ImageShape) is { } given ? Reporting.ImageShape.Of(MapShape.Sizes(given, Explainer.DataInput(graph))) : preprocessing.ShapeOf(Explainer.DataInput(graph));

    /// <summary>The sheet that was asked for, or null.</summary>
    public Sheet? Create(ParseResult result, string modelFile, LinearizationGraph graph, ClassNames classes, InputPreprocessing preprocessing, Func<Targets, LinearizationGraph> compile) =>
        result.GetValue(Picture) is null ? null : new(modelFile, graph, classes, ReadShape(result, "--picture", graph, preprocessing), compile);
}
