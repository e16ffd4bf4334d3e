using System.Collections.Immutable;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms;
using Microsoft.ML.Transforms.Image;
using static Microsoft.ML.Transforms.NormalizingTransformer;

namespace MLNetLinearize.Preprocessing;

/// <summary>
/// Which stages are affine by their making. A probe finds the map of such a stage; it cannot show that a stage is affine, since an expression or
/// a program may do another thing at one value alone, which no probe meets.
/// </summary>
internal static class StageKinds
{
    // ML.NET names these in no public type: what FeatureSelection gives, and whitening, whose package the library does not need.
    private static readonly string[] AffineByName = ["Microsoft.ML.Transforms.SlotsDroppingTransformer", "Microsoft.ML.Transforms.VectorWhiteningTransformer"];

    private static readonly Type[] WholeNumbers = [typeof(bool), typeof(sbyte), typeof(byte), typeof(short), typeof(ushort), typeof(int), typeof(uint), typeof(long), typeof(ulong)];

    /// <exception cref="ArgumentException">The stage's kind does not make it affine.</exception>
    public static void Check(Stage stage)
    {
        if (Objection(stage) is { } why) throw stage.NotAffine(why);
    }

    private static string? Objection(Stage stage) => stage.Transformer switch
    {
        ColumnCopyingTransformer or ColumnSelectingTransformer or ColumnConcatenatingTransformer or MissingValueReplacingTransformer or PrincipalComponentAnalysisTransformer or ImagePixelExtractingTransformer => null,
        NormalizingTransformer normalizer => Normalizer(normalizer),
        TypeConvertingTransformer => Conversion(stage),
        _ when AffineByName.Contains(stage.Transformer.GetType().FullName) => null,
        _ => "nothing in its kind makes it one, and probes cannot tell what it does at every value",
    };

    /// <summary>
    /// A normalizer says itself what it has learned: a scale and an offset, bins, or a distribution. All columns of one have the same kind, since ML.NET's
    /// catalog makes no others.
    /// </summary>
    private static string? Normalizer(NormalizingTransformer normalizer) => normalizer.GetNormalizerModelParameters(0) switch
    {
        AffineNormalizerModelParameters<float> or AffineNormalizerModelParameters<double> or AffineNormalizerModelParameters<ImmutableArray<float>> or AffineNormalizerModelParameters<ImmutableArray<double>> => null,
        BinNormalizerModelParameters<float> or BinNormalizerModelParameters<double> or BinNormalizerModelParameters<ImmutableArray<float>> or BinNormalizerModelParameters<ImmutableArray<double>> => "it sorts numbers into bins",
        _ => "it maps numbers by a distribution function",
    };

    /// <summary>Numbers converted to floating point keep their value up to rounding, as do whole numbers in a type that holds them all.</summary>
    private static string? Conversion(Stage stage)
    {
        var (from, to) = (Numbers.Item(stage.Inputs[0].Type).RawType, Numbers.Item(stage.Output.Type).RawType);
        if (to == from || to == typeof(float) || to == typeof(double)) return null;
        return Array.IndexOf(WholeNumbers, from) >= 0 && to != typeof(bool) && Holds(to, from) ? null : $"it rounds {from.Name} to {to.Name}";
    }

    private static bool Holds(Type to, Type from) => from == typeof(bool) || IsSigned(to) == IsSigned(from) && Size(to) >= Size(from) || IsSigned(to) && Size(to) > Size(from);

    private static bool IsSigned(Type type) => type == typeof(sbyte) || type == typeof(short) || type == typeof(int) || type == typeof(long);

    private static int Size(Type type) => Type.GetTypeCode(type) switch
    {
        TypeCode.Boolean or TypeCode.SByte or TypeCode.Byte => 1,
        TypeCode.Int16 or TypeCode.UInt16 => 2,
        TypeCode.Int32 or TypeCode.UInt32 => 4,
        _ => 8,
    };
}
