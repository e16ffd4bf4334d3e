using System.Text.Json;
using MLNetLinearize.Onnx;
using MLNetLinearize.Tests.Rules;

namespace MLNetLinearize.Tests.Linearization;

/// <summary>The report and the file say how each node became affine.</summary>
public sealed class ReadingTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("reading-tests").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(Nonlinearity.Tangent, "tangent", "tangent", "tangent", "tangent")]
    [InlineData(Nonlinearity.Frozen, "frozen gate", "frozen gate", "frozen", "tangent instead of frozen")]
    public void Each_node_tells_how_it_was_read(Nonlinearity mode, string tanh, string gated, string square, string logarithm)
    {
        var graph = Compile(mode);
        var readings = graph.Report.Nodes.ToDictionary(n => n.Name, n => n.Reading);
        Assert.Equal(mode, graph.Report.Nonlinearity);
        Assert.Equal((tanh, gated, square, logarithm), (readings["Tanh1"], readings["Mul2"], readings["Mul3"], readings["Log7"]));
        Assert.Equal(("exact", "constant", "exact"), (readings["Relu4"], readings["Floor8"], readings["Add9"]));
    }

    [Fact]
    public void The_exported_file_says_the_same()
    {
        var graph = Compile(Nonlinearity.Frozen);
        var file = Path.Combine(folder, "exported.onnx");
        graph.Save(file);
        var properties = OnnxFile.Read(file).MetadataProps.ToDictionary(p => p.Key, p => p.Value);
        Assert.Equal("Frozen", properties["mlnetlinearize.nonlinearity"]);
        var read = JsonSerializer.Deserialize<Dictionary<string, string[]>>(properties["mlnetlinearize.readings"])!;
        Assert.Equal(["constant", "frozen", "frozen gate", "tangent instead of frozen"], read.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(["Mul3"], read["frozen"]);
        Assert.Equal(["Tanh1", "Mul2"], read["frozen gate"]);
        Assert.Equal(["Log7"], read["tangent instead of frozen"]);
        Assert.Equal(["Floor8"], read["constant"]);
    }

    private static LinearizationGraph Compile(Nonlinearity mode)
    {
        var net = new Net(17, 5);
        var x = net.Input("x", "N", 3);
        var gate = net.Op("Tanh", [x]);
        var gated = net.Op("Mul", [x, gate]);
        var square = net.Op("Mul", [gated, x]);
        var positive = net.Op("Add", [net.Op("Relu", [square]), net.Scalar(1)]);
        var logarithm = net.Op("Log", [positive]);
        return LinearizationGraph.Compile(CaseRun.Stream(net.Build(net.Op("Add", [logarithm, net.Op("Floor", [x])]))), new() { Nonlinearity = mode });
    }
}
