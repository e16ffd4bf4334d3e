using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using MLNetLinearize.Reporting;

namespace MLNetLinearize.Transforms;

/// <summary>Finds what a picture is drawn of in a schema, and whatever is wrong with it.</summary>
internal static class PictureColumns
{
    /// <summary>Ending of the column of pixels that an image column becomes on the way.</summary>
    public const string PixelsSuffix = ".pixels";

    // ML.NET's ONNX stage cuts this suffix from the names of its columns.
    private const string CutSuffix = ".output";

    public static PicturePlan Bind(DataViewSchema schema, string output, string attribution, AttributionImageOptions options)
    {
        var column = Find(schema, attribution, isAttribution: true);
        CheckOutput(output, schema.GetColumnOrNull(output) is not null);
        if (column.Type is not VectorDataViewType { IsKnownSize: true, ItemType: NumberDataViewType { RawType: var raw } } vector || raw != typeof(float))
            throw new ArgumentException($"Column '{attribution}' is {column.Type}; a picture is drawn of a vector of Single of known size, as Linearize appends. Name its attribution column.");
        var (shape, targets) = Shape(vector, attribution, options);
        if (options.Target >= targets)
            throw new ArgumentException($"AttributionImageOptions.{nameof(options.Target)} is {options.Target}, but column '{attribution}' ({column.Type}) holds {targets} target{(targets == 1 ? "" : "s")} of [{shape}]. Give 0 to {targets - 1}.");
        if (options.Channel is { } channel && (channel < 0 || channel >= shape.Channels))
            throw new ArgumentException($"AttributionImageOptions.{nameof(options.Channel)} is {channel}, but the image of column '{attribution}' has {shape.Channels} channel{(shape.Channels == 1 ? "" : "s")} [{shape}]. Give 0 to {shape.Channels - 1}, or null for their sum.");
        return new(output, attribution, targets, shape, options, options.ImageColumn is { } image ? Photograph(schema, image, output, shape) : null);
    }

    public static ArgumentException Missing(string name, bool isAttribution, IEnumerable<string> available) => new(
        $"Column '{name}' is missing. It is to {(isAttribution ? "hold the contributions to draw; Linearize appends it" : "hold the picture to draw over")}. The columns are {InputColumn.Short(available)}. " +
        $"Name the right one {(isAttribution ? "as attributionColumnName" : $"in AttributionImageOptions.{nameof(AttributionImageOptions.ImageColumn)}")}.");

    public static void CheckOutput(string output, bool isTaken)
    {
        if (isTaken) throw new ArgumentException($"The input already has a column '{output}', which the picture would hide. Give outputColumnName another name.");
        if (output.EndsWith(CutSuffix, StringComparison.Ordinal)) throw new ArgumentException($"Column '{output}' would lose its ending '{CutSuffix}', which ML.NET's ONNX stage cuts. Give outputColumnName another ending.");
    }

    private static DataViewSchema.Column Find(DataViewSchema schema, string name, bool isAttribution) =>
        schema.GetColumnOrNull(name) ?? throw Missing(name, isAttribution, schema.Select(c => $"{c.Name}: {c.Type}"));

    private static (ImageShape Shape, int Targets) Shape(VectorDataViewType vector, string column, AttributionImageOptions options)
    {
        var size = vector.Size;
        if (options.Shape is { } given)
            return ImageShape.Of(given) is { } shape && size % shape.Length == 0 ? (shape, size / shape.Length)
                : throw new ArgumentException($"AttributionImageOptions.{nameof(options.Shape)} is [{string.Join(", ", given)}], which does not fit column '{column}' ({vector}). Expected [H, W], [C, H, W] or [H, W, C] with 1 or 3 channels, whose size divides {size}.");
        var dims = vector.Dimensions;
        if (ImageShape.Of(dims) is { } whole) return (whole, 1);
        return dims.Length > 0 && ImageShape.Of([.. dims.Skip(1)]) is { } one ? (one, dims[0])
            : throw new ArgumentException($"Column '{column}' is {vector}, which is no image: expected [H, W], [C, H, W] or [H, W, C] with 1 or 3 channels, before them the targets where there are several. If its numbers are pixels, say how they lie in AttributionImageOptions.{nameof(options.Shape)}.");
    }

    private static (string, Type, ImageShape) Photograph(DataViewSchema schema, string name, string output, ImageShape shape)
    {
        var (type, flat) = (Find(schema, name, isAttribution: false).Type, shape.Height * shape.Width);
        if (type is ImageDataViewType image)
        {
            if (image.Height != shape.Height || image.Width != shape.Width)
                throw new ArgumentException($"Column '{name}' holds images of {(image.Height == 0 ? "any size" : $"{image.Height}x{image.Width}")}; the picture over them is {shape.Height}x{shape.Width}. Bring them to that size with mlContext.Transforms.ResizeImages before.");
            return (output + PixelsSuffix, typeof(float), new(shape.Height, shape.Width, 3));
        }
        if (type is VectorDataViewType { IsKnownSize: true } vector && vector.ItemType.RawType is { } raw && (raw == typeof(float) || raw == typeof(double) || raw == typeof(byte)))
        {
            if (vector.Size == flat) return (name, raw, new(shape.Height, shape.Width));
            if (vector.Size == 3 * flat) return (name, raw, shape.Channels == 3 ? shape : ImageShape.Of(vector.Dimensions) ?? new(shape.Height, shape.Width, 3));
        }
        throw new ArgumentException($"Column '{name}' is {type}; the picture to draw over must be an image of {shape.Height}x{shape.Width}, or a vector of {flat} or {3 * flat} Single, Double or Byte values.");
    }
}
