using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetLinearize.Tests.Rules;

namespace MLNetLinearize.Tests.Preprocessing;

/// <summary>A row of raw columns: numbers of several types and sizes, some far from 0, and a text.</summary>
public sealed class Measurement
{
    public float A { get; set; }
    public float B { get; set; }
    [VectorType(4)]
    public float[] V { get; set; } = [];
    /// <summary>Always 0, so that a selection of slots leaves it out.</summary>
    public float Z { get; set; }
    public int Count { get; set; }
    public double Precise { get; set; }
    public bool Flag { get; set; }
    public string City { get; set; } = "";

    public static List<Measurement> Make(int count)
    {
        var random = new Random(11);
        float Number(double center, double spread) => (float)(center + spread * (random.NextDouble() * 2 - 1));
        return [.. Enumerable.Range(0, count).Select(i => new Measurement
        {
            A = Number(1e6, 500),
            B = Number(0, 1),
            V = [Number(-3, 1), Number(100, 50), Number(0, 1e-3), Number(5, 2)],
            Count = random.Next(-20, 20),
            Precise = Number(3, 1),
            Flag = i % 2 == 0,
            City = i % 3 == 0 ? "Paris" : "Rome",
        })];
    }

    /// <summary>This row with one raw slot changed, named as the attribution's slots are.</summary>
    public Measurement With(string slot, float step)
    {
        var copy = (Measurement)MemberwiseClone();
        copy.V = [.. V];
        switch (slot)
        {
            case "A": copy.A += step; break;
            case "B": copy.B += step; break;
            case "Z": copy.Z += step; break;
            case "Count": copy.Count += (int)step; break;
            case "Precise": copy.Precise += step; break;
            default: copy.V[slot[^2] - '0'] += step; break;
        }
        return copy;
    }
}

/// <summary>Small networks of one input 'features', and their scores.</summary>
internal static class SmallNets
{
    public static byte[] Make(int inputs, bool isLinear, params object[] shape)
    {
        var net = new Net(17, 3);
        var x = net.Input("features", shape.Length > 0 ? shape : ["N", inputs]);
        if (shape.Length > 2) x = net.Op("Flatten", [x]);
        if (!isLinear) x = net.Op("Relu", [net.Op("Gemm", [x, net.Weights(inputs, 16), net.Weights(16)])]);
        using var stream = (MemoryStream)CaseRun.Stream(net.Build(net.Op("Gemm", [x, net.Weights(isLinear ? inputs : 16, 3), net.Weights(3)]), "N", 3));
        return stream.ToArray();
    }

    /// <summary>The scores behind the preprocessing that ML.NET runs.</summary>
    public static List<float[]> Scores(MLContext ml, byte[] model, IDataView prepared, string column)
    {
        using var stream = new MemoryStream(model);
        using var plain = ml.Transforms.Linearize(stream, new() { InputColumn = column, Targets = Targets.All }).Fit(prepared);
        return [.. plain.Transform(prepared).GetColumn<float[]>("ExplainedScore")];
    }

    public static List<string> SlotNames(DataViewSchema.Column column)
    {
        var names = default(VBuffer<ReadOnlyMemory<char>>);
        column.GetSlotNames(ref names);
        return [.. names.DenseValues().Select(n => n.ToString())];
    }
}
