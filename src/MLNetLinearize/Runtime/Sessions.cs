using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;

namespace MLNetLinearize.Runtime;

/// <summary>Opens ONNX Runtime sessions the same way everywhere.</summary>
internal static class Sessions
{
    public static InferenceSession Create(ModelProto model, LinearizeOptions options, GraphOptimizationLevel level = GraphOptimizationLevel.ORT_ENABLE_ALL)
    {
        // What goes wrong comes as an exception; a log beside it would only repeat it, and some probes may fail.
        using var settings = new SessionOptions { GraphOptimizationLevel = level, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        // Threads that share the operators of a run watch for the next one for a moment before they sleep, and not beyond the run.
        settings.AddSessionConfigEntry("session.intra_op.spin_duration_us", "100");
        settings.AddSessionConfigEntry("session.force_spinning_stop", "1");
        if (options.Threads is { } threads) settings.IntraOpNumThreads = threads;
        if (options.GpuDeviceId is { } device) UseGpu(settings, device, options.FallbackToCpu);
        try
        {
            return new InferenceSession(model.ToByteArray(), settings);
        }
        catch (OnnxRuntimeException e)
        {
            throw new InvalidModelException($"ONNX Runtime refuses the model: {Told(e)}", e);
        }
    }

    /// <summary>What ONNX Runtime says, on one line.</summary>
    public static string Told(OnnxRuntimeException e) => string.Join(' ', e.Message.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));

    private static void UseGpu(SessionOptions settings, int device, bool fallBack)
    {
        try
        {
            settings.AppendExecutionProvider_CUDA(device);
        }
        catch (Exception e) when (e is OnnxRuntimeException or EntryPointNotFoundException or DllNotFoundException)
        {
            if (!fallBack)
                throw new DeviceException($"GPU {device} cannot be used: {e.Message} Reference Microsoft.ML.OnnxRuntime.Gpu and install CUDA, or set FallbackToCpu.", e);
        }
    }
}

/// <summary>The device that was asked for cannot be used: not a fault of the model.</summary>
internal sealed class DeviceException(string message, Exception inner) : InvalidOperationException(message, inner);
