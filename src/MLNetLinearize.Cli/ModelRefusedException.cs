namespace MLNetLinearize.Cli;

/// <summary>The file is a sound ONNX model and the arguments ask for nothing special, yet the library cannot explain it: one with integer inputs only, say.</summary>
internal sealed class ModelRefusedException(string message) : Exception(message);
