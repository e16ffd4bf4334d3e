using System.CommandLine;
using MLNetLinearize.Cli.Data;
using MLNetLinearize.Cli.Output;
using MLNetLinearize.Reporting;

namespace MLNetLinearize.Cli.Commands;

/// <summary>Arguments about pictures.</summary>
internal sealed class PictureOptions
{
    public Option<string?> Picture { get; } = new("--picture", "-p") { HelpName = "FILE.png", Description = "Draw a contact sheet: photographs beside the maps of which pixels spoke for and against, right answers first, then the mistakes beside the map of the true class." };

    public Option<string?> ImageShape { get; } = new("--image-shape") { HelpName = "HxW", Description = "Shape of the images for pictures where the network takes them as a line of numbers." };

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { Picture, ImageShape }) command.Add(option);
    }

    /// <summary>The files that these arguments name.</summary>
    public IEnumerable<NamedPath> Files(ParseResult result) => [new("--picture", result.GetValue(Picture))];

    /// <summary>The image that maps are drawn over.</summary>
    public ImageShape ReadShape(ParseResult result, string argument, LinearizationGraph graph, Preprocessing preprocessing) => MapShape.Of(argument, result.GetValue(ImageShape), graph, preprocessing);

    /// <summary>The sheet that was asked for, or null.</summary>
    public Sheet? Create(ParseResult result, string modelFile, LinearizationGraph graph, ClassNames classes, Preprocessing preprocessing, Func<Targets, LinearizationGraph> compile) =>
        result.GetValue(Picture) is null ? null : new(modelFile, graph, classes, ReadShape(result, "--picture", graph, preprocessing), compile);
}
