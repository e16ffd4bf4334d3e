namespace MLNetLinearize.Benchmarks.Networks;

/// <summary>One layer with its weights, in the layout that both ONNX and libtorch store.</summary>
internal abstract record Layer;

/// <summary>y = A·x + b, with A [Out, In].</summary>
internal sealed record Dense(int In, int Out, float[] Kernel, float[] Bias) : Layer;

/// <summary>A square convolution with a kernel [Out, In, Size, Size].</summary>
internal sealed record Conv(int In, int Out, int Size, int Stride, int Padding, float[] Kernel, float[]? Bias) : Layer;

/// <summary>y = Scale·(x − Mean)/√(Variance + ε) + Shift, per channel.</summary>
internal sealed record BatchNorm(float[] Scale, float[] Shift, float[] Mean, float[] Variance) : Layer
{
    public const float Epsilon = 1e-5f;
}

internal sealed record Relu : Layer;

internal sealed record MaxPool(int Size, int Stride, int Padding) : Layer;

/// <summary>The mean over space, as [N, C].</summary>
internal sealed record GlobalAveragePool : Layer;

internal sealed record Flatten : Layer;

/// <summary>The sum of two paths; an empty shortcut is the identity.</summary>
internal sealed record Residual(IReadOnlyList<Layer> Body, IReadOnlyList<Layer> Shortcut) : Layer;
