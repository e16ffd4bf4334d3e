using MLNetLinearize.Onnx;

namespace MLNetLinearize.Canonicalization;

/// <summary>Support-vector machines as sums of kernels, in standard operators. With no support vectors they are linear.</summary>
internal static class SupportVectors
{
    public static (string Reason, string Remedy)? Objection(NodeProto node)
    {
        if (node.OpType != "SVMClassifier") return null;
        if (node.Has("prob_a")) return ("its probabilities are found by an iteration that ends when the row's have settled", "export the decision values, without prob_a and prob_b");
        return ClassicalModels.Classes(node) >= 2 ? null : ("it has fewer than two classes", "export a regression");
    }

    public static string Regression(string x, NodeProto node, Replacement to)
    {
        var (weights, rho) = (ClassicalModels.Floats(node, "coefficients"), ClassicalModels.Floats(node, "rho"));
        var features = node.Int("n_supports", 0) is var count and > 0 ? Kernels(x, node, (int)count, to) : x;
        var y = ClassicalModels.Affine(features, weights, rho[..1], to);
        return node.Int("one_class", 0) == 0 ? y : to.Op("Where", [to.Op("Greater", [y, to.Scalar(0)]), to.Scalar(1), to.Scalar(-1)]);
    }

    public static string Classification(string x, NodeProto node, Replacement to)
    {
        var (weights, rho, classes) = (ClassicalModels.Floats(node, "coefficients"), ClassicalModels.Floats(node, "rho"), ClassicalModels.Classes(node));
        var counts = node.Ints("vectors_per_class") ?? [];
        if (counts.Sum() == 0) return ClassicalModels.Transformed(ClassicalModels.Affine(x, weights, [.. Enumerable.Repeat(rho[0], classes)], to), classes, node, to);
        var pairs = Pairs(weights, [.. counts.Select(c => (int)c)]);
        var kernels = Kernels(x, node, (int)counts.Sum(), to);
        if (classes > 2) return ClassicalModels.Transformed(ClassicalModels.Affine(kernels, pairs, rho[..(classes * (classes - 1) / 2)], to), 2, node, to);
        return ClassicalModels.TwoClasses(kernels, pairs, rho[0], node, opposite: node.Text("post_transform", "NONE") == "NONE" ? 0 : 1, to);
    }

    /// <summary>
    /// The weight of each support vector in each decision between two classes i &lt; j. The file has a row less than classes:
    /// the vectors of class i meet class j in row j − 1, those of class j meet class i in row i.
    /// </summary>
    private static float[] Pairs(float[] coefficients, int[] counts)
    {
        var vectors = counts.Sum();
        var start = counts.Select((_, i) => counts.Take(i).Sum()).ToArray();
        var rows = new List<float>();
        for (var i = 0; i < counts.Length; i++)
        {
            for (var j = i + 1; j < counts.Length; j++)
            {
                var row = new float[vectors];
                coefficients.AsSpan((j - 1) * vectors + start[i], counts[i]).CopyTo(row.AsSpan(start[i]));
                coefficients.AsSpan(i * vectors + start[j], counts[j]).CopyTo(row.AsSpan(start[j]));
                rows.AddRange(row);
            }
        }
        return [.. rows];
    }

    /// <summary>[N, vectors]: the kernel of each row with each support vector.</summary>
    private static string Kernels(string x, NodeProto node, int count, Replacement to)
    {
        var vectors = ClassicalModels.Floats(node, "support_vectors");
        var (gamma, offset, degree) = ClassicalModels.Floats(node, "kernel_params") is [var g, var c, var d, ..] ? (g, c, d) : (0, 0, 0);
        var kind = node.Text("kernel_type", "LINEAR");
        if (kind == "RBF")
        {
            // The differences themselves: squares of sums, multiplied out, lose their digits near a support vector.
            var differences = to.Op("Sub", [to.Op("Unsqueeze", [x, to.Ints(1)]), to.Floats(vectors, count, vectors.Length / count)]);
            return to.Op("Exp", [to.Op("Mul", [to.Op("ReduceSumSquare", [differences, to.Ints(2)], ("keepdims", 0L)), to.Scalar(-gamma)])]);
        }
        if (kind == "LINEAR") return ClassicalModels.Affine(x, vectors, new float[count], to);
        var products = ClassicalModels.Affine(x, vectors, [.. Enumerable.Repeat(offset, count)], to, gamma);
        return kind == "POLY" ? to.Op("Pow", [products, to.Scalar(degree)]) : to.Op("Tanh", [products]);
    }
}
