using System.Diagnostics;
using Google.Protobuf;
using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Tests;

/// <summary>
/// Weights beside a model are read by one rule, wherever their tensor stands: a regular file inside the model's folder that holds what
/// the shape takes.
/// </summary>
public sealed class ExternalDataTests : IDisposable
{
    private static readonly byte[] FirstFour = [0, 1, 2, 3];

    private readonly string root = Directory.CreateTempSubdirectory("external-data-").FullName;
    private readonly string folder;

    public ExternalDataTests()
    {
        folder = Directory.CreateDirectory(Path.Combine(root, "model")).FullName;
        File.WriteAllBytes(InFolder("weights.bin"), [.. Enumerable.Range(0, 64).Select(i => (byte)i)]);
        File.WriteAllBytes(Path.Combine(root, "outside.bin"), new byte[64]);
    }

    public void Dispose() => Directory.Delete(root, recursive: true);

    public static TheoryData<string> Places => [.. TensorPlaces.Names];

    [Theory]
    [MemberData(nameof(Places))]
    public void It_is_found_wherever_a_tensor_may_stand(string place)
    {
        var type = place.StartsWith("indices", StringComparison.Ordinal) ? DataType.Int64 : DataType.Float;
        var bytes = type == DataType.Int64 ? 8 : 4;
        var read = StoredTensors.Of(Read(Tensor(("location", "weights.bin"), ("offset", "4")), place, type)).Single(t => t.Tensor.Name == "w").Tensor;
        Assert.Equal(Enumerable.Range(4, bytes).Select(i => (byte)i), read.RawData);
        Assert.False(ExternalData.Is(read));

        // The same path from a stream, and one that leaves the folder, are refused by the tensor's name.
        var bare = TensorPlaces.With(Typed(Tensor(("location", "weights.bin")), type), place).ToByteArray();
        var stream = Assert.Throws<InvalidModelException>(() => OnnxFile.Read(new MemoryStream(bare)));
        Assert.Contains("'w'", stream.Message, StringComparison.Ordinal);
        Assert.Contains("a stream has no folder", stream.Message, StringComparison.Ordinal);
        var outside = Assert.Throws<InvalidModelException>(() => Read(Tensor(("location", "../outside.bin")), place, type));
        Assert.Contains("'w'", outside.Message, StringComparison.Ordinal);
        Assert.Contains("outside the model's folder", outside.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("location=../outside.bin", "outside the model's folder")]
    [InlineData("location=sub/../weights.bin", "outside the model's folder")]
    [InlineData("location=..\\outside.bin", "outside the model's folder")]
    [InlineData("location=/etc/hostname", "'/etc/hostname', outside the model's folder")]
    [InlineData("location=we\0ights.bin", "'we\\0ights.bin', whose name holds a NUL character")]
    [InlineData("location=gone.bin", "'gone.bin', which is missing beside the model. Copy it to")]
    [InlineData("location=weights.bin/more", "missing beside the model")]
    [InlineData("location=sub", "'sub', which is a folder")]
    [InlineData("location=.", "'.', outside the model's folder")]
    [InlineData("location=", "names no file")]
    [InlineData("offset=0", "names no file")]
    [InlineData("", "names no file")]
    [InlineData("location=weights.bin;location=../outside.bin", "gives 'location' of its external data twice, 'weights.bin' and '../outside.bin'")]
    [InlineData("location=weights.bin;offset=0;offset=4", "gives 'offset' of its external data twice")]
    [InlineData("location=weights.bin;offset=-4", "gives '-4' as the offset")]
    [InlineData("location=weights.bin;offset=four", "gives 'four' as the offset")]
    [InlineData("location=weights.bin;offset=99999999999999999999", "gives '99999999999999999999' as the offset")]
    [InlineData("location=weights.bin;offset=61", "which has 64 bytes and so does not hold 4 bytes from offset 61")]
    [InlineData("location=weights.bin;offset=9223372036854775807", "does not hold 4 bytes from offset 9,223,372,036,854,775,807")]
    [InlineData("location=weights.bin;length=3", "says that 3 bytes of 'weights.bin' are its values, where its shape [1] of Float takes 4")]
    [InlineData("location=weights.bin;length=9223372036854775807", "says that 9,223,372,036,854,775,807 bytes")]
    [InlineData("location=weights.bin;length=-1", "gives '-1' as the length")]
    public void What_breaks_the_rule_is_one_message_that_names_the_tensor(string entries, string words)
    {
        Directory.CreateDirectory(InFolder("sub"));
        var given = entries.Split(';', StringSplitOptions.RemoveEmptyEntries).Select(e => e.Split('=')).Select(e => (e[0], e[1]));
        var error = Assert.Throws<InvalidModelException>(() => Read(Tensor([.. given]), "initializer"));
        Assert.StartsWith("Tensor 'w' of '", error.Message, StringComparison.Ordinal);
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_path_of_a_million_folders_is_refused_at_once_and_not_told_in_full()
    {
        var location = string.Concat(Enumerable.Repeat("a/", 1_000_000)) + "b";
        var error = Assert.Throws<InvalidModelException>(() => Read(Tensor(("location", location)), "initializer"));
        Assert.Contains("a path of 2,000,001 characters", error.Message, StringComparison.Ordinal);
        Assert.InRange(error.Message.Length, 1, 1000);
    }

    [Fact]
    public void Links_are_followed_and_end_inside_the_folder_or_are_refused()
    {
        Directory.CreateDirectory(InFolder("sub"));
        File.CreateSymbolicLink(InFolder("sub/inside.bin"), "../weights.bin");
        Directory.CreateSymbolicLink(InFolder("again"), "sub");
        Directory.CreateSymbolicLink(Path.Combine(root, "other name"), folder);
        Assert.Equal(FirstFour, Read(Tensor(("location", "again/inside.bin")), "initializer").Graph.Initializer[^1].RawData.ToByteArray());
        Assert.Equal(FirstFour, OnnxFile.Read(Path.Combine(root, "other name", "model.onnx")).Graph.Initializer[^1].RawData.ToByteArray());

        File.CreateSymbolicLink(InFolder("out.bin"), Path.Combine(root, "outside.bin"));
        Directory.CreateSymbolicLink(InFolder("out"), "..");
        File.CreateSymbolicLink(InFolder("circle.bin"), "circle.bin");
        foreach (var location in new[] { "out.bin", "out/outside.bin", "circle.bin" })
        {
            var error = Assert.Throws<InvalidModelException>(() => Read(Tensor(("location", location)), "initializer"));
            Assert.Contains(location == "circle.bin" ? "links lead in a circle" : "outside the model's folder", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_pipe_is_refused_and_not_waited_for()
    {
        if (OperatingSystem.IsWindows()) return;
        using var made = Process.Start("mkfifo", [InFolder("pipe.bin")]);
        await made.WaitForExitAsync();
        Assert.Equal(0, made.ExitCode);
        var reading = Task.Run(() => Assert.Throws<InvalidModelException>(() => Read(Tensor(("location", "pipe.bin")), "initializer")));
        var error = await reading.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Contains("'pipe.bin', which has 0 bytes", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void One_large_file_that_many_tensors_name_is_refused_before_it_is_read()
    {
        using (var large = File.Create(InFolder("large.bin"))) large.SetLength(1L << 30); // without content, so that it takes no room
        var model = TensorPlaces.Small();
        for (var i = 0; i < 3; i++) model.Graph.Initializer.Add(new TensorProto(Tensor(("location", "large.bin"))) { Name = $"w{i}", Dims = { 1 << 28 } });
        OnnxFile.Write(model, InFolder("model.onnx"));
        var error = Assert.Throws<InvalidModelException>(() => OnnxFile.Read(InFolder("model.onnx")));
        Assert.Contains("3,221,225,472 bytes; a model and its weights may take 2,147,483,647", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_files_are_listed_by_the_same_rule()
    {
        OnnxFile.Write(TensorPlaces.With(Tensor(("location", "weights.bin")), "body of a function"), InFolder("model.onnx"));
        Assert.Equal([InFolder("weights.bin")], OnnxFile.ExternalFiles(InFolder("model.onnx")));
        OnnxFile.Write(TensorPlaces.With(Tensor(("location", "we\0ights.bin")), "initializer"), InFolder("model.onnx"));
        Assert.Throws<InvalidModelException>(() => OnnxFile.ExternalFiles(InFolder("model.onnx")));
    }

    private ModelProto Read(TensorProto tensor, string place, DataType type = DataType.Float)
    {
        OnnxFile.Write(TensorPlaces.With(Typed(tensor, type), place), InFolder("model.onnx"));
        return OnnxFile.Read(InFolder("model.onnx"));
    }

    private static TensorProto Typed(TensorProto tensor, DataType type)
    {
        tensor.DataType = (int)type;
        return tensor;
    }

    private static TensorProto Tensor(params (string Key, string Value)[] entries)
    {
        var tensor = new TensorProto { Name = "w", DataType = (int)DataType.Float, Dims = { 1 }, DataLocation = TensorProto.Types.DataLocation.External };
        tensor.ExternalData.AddRange(entries.Select(e => new StringStringEntryProto { Key = e.Key, Value = e.Value }));
        return tensor;
    }

    private string InFolder(string name) => Path.Combine(folder, name);
}
