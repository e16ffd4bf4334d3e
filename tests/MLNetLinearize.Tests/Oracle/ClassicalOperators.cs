using P = MLNetLinearize.Tests.Oracle.PointwiseOperators;

namespace MLNetLinearize.Tests.Oracle;

/// <summary>Operators of the domain ai.onnx.ml as ONNX Runtime computes them, element by element and pair by pair.</summary>
internal static class ClassicalOperators
{
    public static IReadOnlyList<Dual> Apply(OracleNode node) => node.Operator switch
    {
        "Scaler" => [(node.X - Row(node, "offset")) * Row(node, "scale")],
        "Imputer" => [Impute(node)],
        "Normalizer" => [Normalize(node)],
        "Binarizer" => [ArithmeticOperators.Step(node, z => z > node.Float("threshold", 0) ? 1 : 0)],
        "FeatureVectorizer" => [Joined(node.Inputs)],
        "ArrayFeatureExtractor" => [Columns(node.X, [.. node[1].Integers.Select(i => (int)i)])],
        "LinearRegressor" => [Transformed(node, Affine(node, node.X, (int)node.Int("targets", 1)))],
        "LinearClassifier" => [node.X, Classify(node)],
        "SVMRegressor" => [Regress(node)],
        "SVMClassifier" => [node.X, Votes(node)],
        "TreeEnsembleRegressor" => [Trees(node)],
        _ => throw new NotSupportedException($"The oracle does not know {node.Operator}."),
    };

    private static Dual Row(OracleNode node, string name) => Constant(node.Floats(name)!);

    private static Dual Constant(float[] values) => new([values.Length], [.. values.Select(v => (double)v)]);

    private static Dual Impute(OracleNode node)
    {
        var missing = node.Float("replaced_value_float", 0);
        return ArithmeticOperators.Where(node.X.Value.Select(v => v == missing || double.IsNaN(v) && double.IsNaN(missing)), node.X.Shape, Row(node, "imputed_value_floats").BroadcastTo(node.X.Shape), node.X);
    }

    private static Dual Normalize(OracleNode node)
    {
        var x = node.X;
        return node.Text("norm", "MAX") switch
        {
            "L1" => x / ReductionOperators.Sum(P.Absolute(x), [1], keep: true).As(Role.Gate),
            "L2" => x / P.SquareRoot(ReductionOperators.Sum(x * x, [1], keep: true)).As(Role.Gate),
            _ => x / ReductionOperators.Maximum(x, [1], keep: true),
        };
    }

    private static Dual Columns(Dual x, int[] columns) => x.Pick([x.Shape[0], columns.Length], [.. Enumerable.Range(0, x.Shape[0]).SelectMany(r => columns.Select(c => r * x.Shape[1] + c))]);

    private static Dual Joined(IReadOnlyList<Dual> parts)
    {
        var places = parts.SelectMany((p, k) => Enumerable.Range(0, p.Shape[1]).Select(c => (Part: k, Column: c))).ToArray();
        var rows = Enumerable.Range(0, parts[0].Shape[0]).SelectMany(r => places.Select(p => (p.Part, Index: r * parts[p.Part].Shape[1] + p.Column))).ToArray();
        return Dual.Select([parts[0].Shape[0], places.Length], parts, [.. rows.Select(r => r.Part)], [.. rows.Select(r => r.Index)]);
    }

    /// <summary>Output k is ⟨coefficients of k, x⟩ + intercept.</summary>
    private static Dual Affine(OracleNode node, Dual x, int outputs)
    {
        var (w, b) = (node.Floats("coefficients")!, node.Floats("intercepts") ?? new float[outputs]);
        return Joined([.. Enumerable.Range(0, outputs).Select(k => Weighted(x, w[(k * x.Shape[1])..((k + 1) * x.Shape[1])]) + Dual.Scalar(b[k]))]);
    }

    private static Dual Weighted(Dual x, float[] weights) => ReductionOperators.Sum(x * Constant(weights), [1], keep: true);

    private static Dual Classify(OracleNode node)
    {
        var scores = Affine(node, node.X, node.Floats("intercepts")!.Length);
        return scores.Shape[1] == 1 && ClassCount(node) == 2 ? WithOpposite(node, scores, 1) : Transformed(node, scores);
    }

    private static Dual WithOpposite(OracleNode node, Dual score, double sum)
    {
        if (node.Text("post_transform", "NONE") != "LOGISTIC") return Joined([Dual.Scalar(sum) - score, score]);
        return P.Sigmoid(Joined([Dual.Scalar(0) - score, score])).As(Role.Gate);
    }

    private static int ClassCount(OracleNode node) => node.Ints("classlabels_ints")?.Length ?? node.Strings("classlabels_strings")!.Length;

    private static Dual Transformed(OracleNode node, Dual scores)
    {
        var transform = node.Text("post_transform", "NONE");
        if (transform == "PROBIT") return Probit(scores);
        if (scores.Shape[1] == 1) return scores;
        switch (transform)
        {
            case "SOFTMAX_ZERO":
                bool[] isSome = [.. scores.Value.Select(s => Math.Abs(s) > 1e-7)];
                var largest = ReductionOperators.Maximum(scores, [1], keep: true);
                var exponentials = P.Exponential(scores - largest);
                var counted = ArithmeticOperators.Where(isSome, scores.Shape, exponentials, Dual.Scalar(0).BroadcastTo(scores.Shape));
                return ArithmeticOperators.Where(isSome, scores.Shape, exponentials, scores * P.Exponential(Dual.Scalar(0) - largest)) / ReductionOperators.Sum(counted, [1], keep: true);
            case "LOGISTIC":
                return P.Sigmoid(scores).As(Role.Gate);
            case "SOFTMAX":
                return Reading.Tangent(() =>
                {
                    var powers = P.Exponential(scores);
                    return powers / ReductionOperators.Sum(powers, [1], keep: true);
                }).As(Role.Gate);
            default:
                return scores;
        }
    }

    /// <summary>√2·erf⁻¹(2p − 1) by Winitzki's formula, and its sign.</summary>
    private static Dual Probit(Dual p)
    {
        var x = p * Dual.Scalar(2) - Dual.Scalar(1);
        var log = P.Logarithm((Dual.Scalar(1) - x) * (Dual.Scalar(1) + x));
        var half = log * Dual.Scalar(0.5) + Dual.Scalar(2 / (Math.PI * 0.147f));
        var size = P.SquareRoot(P.SquareRoot(half * half - log * Dual.Scalar(1 / 0.147f)) - half) * Dual.Scalar(Math.Sqrt(2));
        return size * new Dual(x.Shape, [.. x.Value.Select(v => v < 0 ? -1.0 : 1)]);
    }

    private static Dual Regress(OracleNode node)
    {
        var (w, rho) = (node.Floats("coefficients")!, Dual.Scalar(node.Floats("rho")![0]));
        var y = Weighted(node.Int("n_supports", 0) is var count and > 0 ? Kernels(node, (int)count) : node.X, w) + rho;
        return node.Int("one_class", 0) == 0 ? y : new Dual(y.Shape, [.. y.Value.Select(v => v > 0 ? 1.0 : -1)]);
    }

    /// <summary>One column for each pair of classes; of two classes, the decision and its opposite.</summary>
    private static Dual Votes(OracleNode node)
    {
        var (w, rho, classes) = (node.Floats("coefficients")!, node.Floats("rho")!, ClassCount(node));
        if (node.Floats("support_vectors") is not { Length: > 0 })
            return Transformed(node, Joined([.. Enumerable.Range(0, classes).Select(k => Weighted(node.X, w[(k * node.X.Shape[1])..((k + 1) * node.X.Shape[1])]) + Dual.Scalar(rho[0]))]));
        int[] counts = [.. node.Ints("vectors_per_class")!.Select(c => (int)c)];
        var kernels = Kernels(node, counts.Sum());
        int[] owner = [.. counts.SelectMany((c, k) => Enumerable.Repeat(k, c))];
        var decisions = new List<Dual>();
        for (var i = 0; i < classes; i++)
            for (var j = i + 1; j < classes; j++)
            {
                var pair = owner.Select((k, s) => k == i ? w[(j - 1) * owner.Length + s] : k == j ? w[i * owner.Length + s] : 0).ToArray();
                decisions.Add(Weighted(kernels, pair) + Dual.Scalar(rho[decisions.Count]));
            }
        if (classes > 2) return Transformed(node, Joined(decisions));
        return WithOpposite(node, decisions[0], node.Text("post_transform", "NONE") == "NONE" ? 0 : 1);
    }

    private static Dual Kernels(OracleNode node, int count)
    {
        var (x, vectors) = (node.X, node.Floats("support_vectors")!);
        var width = vectors.Length / count;
        float[] p = node.Floats("kernel_params") ?? [0, 0, 0];
        return Joined([.. vectors.Chunk(width).Select(v =>
        {
            var dot = Weighted(x, v) * Dual.Scalar(node.Text("kernel_type", "LINEAR") == "LINEAR" ? 1 : p[0]) + Dual.Scalar(node.Text("kernel_type", "LINEAR") == "LINEAR" ? 0 : p[1]);
            return node.Text("kernel_type", "LINEAR") switch
            {
                "RBF" => P.Exponential(Reading.Tangent(() => ReductionOperators.Sum((x - Constant(v)) * (x - Constant(v)), [1], keep: true)) * Dual.Scalar(-p[0])),
                "POLY" => dot.Smooth(z => Math.Pow(z, p[2]), z => p[2] * Math.Pow(z, p[2] - 1)),
                "SIGMOID" => P.Tanh(dot),
                _ => dot,
            };
        })]);
    }

    /// <summary>Trees of BRANCH_LEQ nodes, summed.</summary>
    private static Dual Trees(OracleNode node)
    {
        var (trees, ids, features, modes, values) = (node.Ints("nodes_treeids")!, node.Ints("nodes_nodeids")!, node.Ints("nodes_featureids")!, node.Strings("nodes_modes")!, node.Floats("nodes_values")!);
        var (yes, no) = (node.Ints("nodes_truenodeids")!, node.Ints("nodes_falsenodeids")!);
        var (leafTrees, leaves, weights) = (node.Ints("target_treeids")!, node.Ints("target_nodeids")!, node.Floats("target_weights")!);
        double Score(double[] row) => trees.Distinct().Sum(tree =>
        {
            long at = 0;
            while (true)
            {
                var k = Enumerable.Range(0, ids.Length).Single(i => trees[i] == tree && ids[i] == at);
                if (modes[k] == "LEAF") return weights[Enumerable.Range(0, leaves.Length).Single(i => leafTrees[i] == tree && leaves[i] == at)];
                at = row[features[k]] <= values[k] ? yes[k] : no[k];
            }
        });
        return new([node.X.Shape[0], 1], [.. node.X.Value.Chunk(node.X.Shape[1]).Select(Score)]);
    }
}
