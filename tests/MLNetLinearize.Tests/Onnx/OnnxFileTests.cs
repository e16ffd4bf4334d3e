using Google.Protobuf;
using MLNetLinearize.Onnx;
using MLNetLinearize.Tests.Rules;

namespace MLNetLinearize.Tests;

public sealed class OnnxFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("onnx-file-").FullName;

    [Fact]
    public void Unknown_fields_survive_a_round_trip()
    {
        // Field 1000 of the model and field 2000 of its first node are none the schema knows.
        byte[] unknown = [0xC2, 0x3E, 3, (byte)'a', (byte)'b', (byte)'c'];
        byte[] inNode = [0x82, 0x7D, 2, (byte)'x', (byte)'y'];
        var node = NodeProto.Parser.ParseFrom([.. Small().Graph.Node[0].ToByteArray(), .. inNode]);
        var model = Small();
        model.Graph.Node[0] = node;
        var read = ModelProto.Parser.ParseFrom([.. model.ToByteArray(), .. unknown]);
        File.WriteAllBytes(InFolder("a.onnx"), read.ToByteArray());

        OnnxFile.Write(new Graph(OnnxFile.Read(InFolder("a.onnx"))).ToModel(), InFolder("b.onnx"));

        var written = File.ReadAllBytes(InFolder("b.onnx"));
        Assert.True(written.AsSpan().IndexOf(unknown) >= 0);
        Assert.True(written.AsSpan().IndexOf(inNode) >= 0);
    }

    [Fact]
    public void Weights_beside_the_model_are_read()
    {
        var model = Small();
        var expected = model.Graph.Initializer[0].ToSingle();
        Externalize(model.Graph.Initializer[0], "weights.bin", InFolder("weights.bin"), offset: 16);
        OnnxFile.Write(model, InFolder("model.onnx"));
        Assert.Equal(expected, OnnxFile.Read(InFolder("model.onnx")).Graph.Initializer[0].ToSingle());
    }

    [Theory]
    [InlineData("../outside.bin")]
    [InlineData("sub/../../outside.bin")]
    [InlineData("/etc/hostname")]
    public void A_path_that_leaves_the_folder_is_refused(string location)
    {
        var inner = Directory.CreateDirectory(InFolder("inner")).FullName;
        var model = Small();
        Externalize(model.Graph.Initializer[0], location, InFolder("outside.bin"), offset: 0);
        OnnxFile.Write(model, Path.Combine(inner, "model.onnx"));
        var error = Assert.Throws<InvalidModelException>(() => OnnxFile.Read(Path.Combine(inner, "model.onnx")));
        Assert.Contains(location, error.Message, StringComparison.Ordinal);
        Assert.Contains("outside the model's folder", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_link_out_of_the_folder_is_refused()
    {
        var inner = Directory.CreateDirectory(InFolder("inner")).FullName;
        var model = Small();
        Externalize(model.Graph.Initializer[0], "link.bin", InFolder("outside.bin"), offset: 0);
        File.CreateSymbolicLink(Path.Combine(inner, "link.bin"), InFolder("outside.bin"));
        OnnxFile.Write(model, Path.Combine(inner, "model.onnx"));
        Assert.Contains("outside the model's folder", Assert.Throws<InvalidModelException>(() => OnnxFile.Read(Path.Combine(inner, "model.onnx"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void External_data_cut_short_is_an_error_that_names_the_tensor()
    {
        var model = Small();
        Externalize(model.Graph.Initializer[0], "weights.bin", InFolder("weights.bin"), offset: 0);
        File.WriteAllBytes(InFolder("weights.bin"), [1, 2, 3]);
        OnnxFile.Write(model, InFolder("model.onnx"));
        var error = Assert.Throws<InvalidModelException>(() => OnnxFile.Read(InFolder("model.onnx")));
        Assert.Contains(model.Graph.Initializer[0].Name, error.Message, StringComparison.Ordinal);
        Assert.Contains("3 bytes", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_stream_with_external_data_asks_for_the_file_name()
    {
        var model = Small();
        Externalize(model.Graph.Initializer[0], "weights.bin", InFolder("weights.bin"), offset: 0);
        Assert.Contains("file name", Assert.Throws<InvalidModelException>(() => OnnxFile.Read(new MemoryStream(model.ToByteArray()))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_corrupt_file_is_one_clear_error()
    {
        var bytes = Small().ToByteArray();
        File.WriteAllBytes(InFolder("short.onnx"), bytes[..(bytes.Length / 2)]);
        File.WriteAllText(InFolder("text.onnx"), "not a model");
        File.WriteAllBytes(InFolder("empty.onnx"), []);
        foreach (var name in new[] { "short.onnx", "text.onnx", "empty.onnx" })
            Assert.Contains(name, Assert.Throws<InvalidModelException>(() => LinearizationGraph.Compile(InFolder(name))).Message, StringComparison.Ordinal);
        Assert.Contains("gone.onnx", Assert.Throws<FileNotFoundException>(() => LinearizationGraph.Compile(InFolder("gone.onnx"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_failed_write_leaves_the_old_file_and_nothing_else()
    {
        var path = InFolder("kept.onnx");
        Directory.CreateDirectory(path); // a folder stands where the file should go
        Assert.ThrowsAny<Exception>(() => OnnxFile.Write(Small(), path));
        Assert.Empty(Directory.GetFiles(folder));
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string InFolder(string name) => Path.Combine(folder, name);

    private static ModelProto Small()
    {
        var net = new Net(17, 3);
        return net.Build(net.Op("Gemm", [net.Input("x", "N", 3), net.Weights(3, 2)]), "N", 2);
    }

    private static void Externalize(TensorProto tensor, string location, string file, int offset)
    {
        File.WriteAllBytes(file, [.. new byte[offset], .. tensor.RawData]);
        tensor.ExternalData.Add(new StringStringEntryProto { Key = "location", Value = location });
        tensor.ExternalData.Add(new StringStringEntryProto { Key = "offset", Value = $"{offset}" });
        tensor.ExternalData.Add(new StringStringEntryProto { Key = "length", Value = $"{tensor.RawData.Length}" });
        tensor.DataLocation = TensorProto.Types.DataLocation.External;
        tensor.ClearRawData();
    }
}
