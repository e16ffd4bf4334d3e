namespace MLNetLinearize.Tests.Oracle;

/// <summary>
/// Where a sliding window of any spatial rank reads: for each cell of the kernel and each output position the input
/// position, or −1 in the padding. Convolution, its transpose and all pooling are loops over this one table.
/// </summary>
internal sealed class Windows
{
    private Windows(int[] input, int[] kernel, int[] output, int[] strides, int[] dilations, int[] begin, int[] end)
    {
        Output = output;
        KernelSize = Shapes.Count(kernel);
        Positions = new int[KernelSize][];
        IsInPaddedInput = new bool[KernelSize][];
        var inputStrides = Shapes.Strides(input);
        var kernelCells = new List<int[]>();
        Shapes.Map(kernel, at => { kernelCells.Add([.. at]); return 0; });
        for (var k = 0; k < KernelSize; k++)
        {
            var inside = new List<bool>();
            Positions[k] = Shapes.Map(output, at =>
            {
                var (position, isInside, isPadded) = (0, true, true);
                for (var d = 0; d < input.Length; d++)
                {
                    var p = at[d] * strides[d] + kernelCells[k][d] * dilations[d] - begin[d];
                    isInside &= p >= 0 && p < input[d];
                    isPadded &= p < input[d] + end[d];
                    position += p * inputStrides[d];
                }
                inside.Add(isPadded);
                return isInside ? position : -1;
            });
            IsInPaddedInput[k] = [.. inside];
        }
    }

    public int[] Output { get; }

    public int KernelSize { get; }

    /// <summary>[kernel cell, row-major][output position]: the input position, or −1.</summary>
    public int[][] Positions { get; }

    /// <summary>Whether a cell lies in the input or its declared padding; ceil_mode windows may reach beyond both.</summary>
    public bool[][] IsInPaddedInput { get; }

    public static Windows Of(OracleNode node, int[] input, int[] kernel)
    {
        var rank = input.Length;
        var ones = Enumerable.Repeat(1, rank).ToArray();
        var (strides, dilations) = (node.Sizes("strides", ones), node.Sizes("dilations", ones));
        var pads = node.Sizes("pads", new int[2 * rank]);
        var (begin, end, output) = (pads[..rank], pads[rank..], new int[rank]);
        var mode = node.Text("auto_pad", "NOTSET");
        for (var d = 0; d < rank; d++)
        {
            var extent = (kernel[d] - 1) * dilations[d] + 1;
            if (mode is "SAME_UPPER" or "SAME_LOWER")
            {
                // ONNX Runtime, unlike the specification, pads a pool as if it were not dilated, and its output is the smaller for it;
                // and what it pads a pool by may be less than nothing.
                var isPool = node.Operator.EndsWith("Pool", StringComparison.Ordinal);
                var total = ((input[d] + strides[d] - 1) / strides[d] - 1) * strides[d] + (isPool ? kernel[d] : extent) - input[d];
                if (!isPool) total = Math.Max(0, total);
                output[d] = (input[d] + total - extent) / strides[d] + 1;
                begin[d] = (mode == "SAME_UPPER" ? total : total + 1) / 2;
                end[d] = total - begin[d];
                continue;
            }
            if (mode == "VALID") begin[d] = end[d] = 0;
            var room = input[d] + begin[d] + end[d] - extent;
            output[d] = room / strides[d] + 1;
            if (node.Int("ceil_mode", 0) == 0 || room % strides[d] == 0) continue;
            // The last window must start in the input or in the padding before it (onnx/onnx pull request 5741).
            if (output[d] * strides[d] < input[d] + begin[d]) output[d]++;
        }
        return new(input, kernel, output, strides, dilations, begin, end);
    }

    /// <summary>The windows of the convolution whose transpose a ConvTranspose or MaxUnpool is: from the larger tensor to <paramref name="smaller"/>.</summary>
    public static Windows OfTranspose(OracleNode node, int[] smaller, int[] kernel, out int[] larger)
    {
        var rank = smaller.Length;
        var ones = Enumerable.Repeat(1, rank).ToArray();
        var (strides, dilations, extra) = (node.Sizes("strides", ones), node.Sizes("dilations", ones), node.Sizes("output_padding", new int[rank]));
        var pads = node.Sizes("pads", new int[2 * rank]);
        var (begin, end) = (pads[..rank], pads[rank..]);
        larger = new int[rank];
        var wanted = node.Sizes("output_shape", []);
        var mode = node.Text("auto_pad", "NOTSET");
        for (var d = 0; d < rank; d++)
        {
            var full = (smaller[d] - 1) * strides[d] + (kernel[d] - 1) * dilations[d] + 1 + extra[d];
            if (mode == "VALID") begin[d] = end[d] = 0;
            if (wanted.Length == 0 && mode is "SAME_UPPER" or "SAME_LOWER") wanted = [.. smaller.Select((s, i) => s * strides[i])];
            if (wanted.Length > 0)
            {
                larger[d] = wanted[wanted.Length - rank + d];
                var total = Math.Max(0, full - larger[d]);
                begin[d] = mode == "SAME_UPPER" ? total / 2 : total - total / 2;
                end[d] = total - begin[d];
            }
            else larger[d] = full - begin[d] - end[d];
        }
        return new(larger, kernel, smaller, strides, dilations, begin, end);
    }
}
