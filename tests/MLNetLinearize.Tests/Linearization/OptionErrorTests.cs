using Microsoft.ML;
using MLNetLinearize.Linearization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Tests.Rules;

namespace MLNetLinearize.Tests.Linearization;

/// <summary>A number that cannot be is told before any work is done, and by its own name.</summary>
public class OptionErrorTests
{
    public static TheoryData<string, LinearizeOptions> OutOfRange => new()
    {
        { "BatchSize is 0", new() { BatchSize = 0 } },
        { "BatchSize is -1", new() { BatchSize = -1 } },
        { "Threads is 0", new() { Threads = 0 } },
        { "GpuDeviceId is -1", new() { GpuDeviceId = -1, FallbackToCpu = true } },
        { "MaxBytesPerRow is 0", new() { MaxBytesPerRow = 0 } },
        { "MaxUnrolledSteps is 0", new() { MaxUnrolledSteps = 0 } },
    };

    [Theory]
    [MemberData(nameof(OutOfRange))]
    public void A_number_out_of_range(string expected, LinearizeOptions options)
    {
        var e = Assert.Throws<ArgumentException>(() => Compiler.Compile(Model(), options));
        Assert.StartsWith($"LinearizeOptions.{expected}; ", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_number_out_of_range_of_a_restored_model()
    {
        var ml = new MLContext();
        var (model, schema) = (ml.Transforms.CopyColumns("y", "x").Fit(ml.Data.LoadFromEnumerable([new Row()])), ml.Data.LoadFromEnumerable([new Row()]).Schema);
        Assert.Equal("threads", Assert.Throws<ArgumentOutOfRangeException>(() => ml.Model.RestoreLinearization(model, schema, threads: 0)).ParamName);
        Assert.Equal("batchSize", Assert.Throws<ArgumentOutOfRangeException>(() => ml.Model.RestoreLinearization(model, schema, batchSize: 0)).ParamName);
        Assert.Equal("gpuDeviceId", Assert.Throws<ArgumentOutOfRangeException>(() => ml.Model.RestoreLinearization(model, schema, gpuDeviceId: -1)).ParamName);
    }

    /// <summary>Where there is none, or ONNX Runtime's package for it is not referenced.</summary>
    [Fact]
    public void A_gpu_that_cannot_be_used_is_no_fault_of_the_model()
    {
        var e = Assert.ThrowsAny<InvalidOperationException>(() => Compiler.Compile(Model(), new() { GpuDeviceId = 63 }));
        Assert.StartsWith("GPU 63 cannot be used: ", e.Message, StringComparison.Ordinal);
    }

    private static ModelProto Model()
    {
        var net = new Net(17, 3);
        return net.Build(net.Op("Gemm", [net.Input("x", "N", 3), net.Weights(3, 2)]), "N", 2);
    }

    private sealed class Row
    {
        public float x { get; set; }
    }
}
