using Microsoft.ML.Calibrators;
using Microsoft.ML.Trainers.FastTree;
using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Tests.Assets;

/// <summary>
/// A trained ML.NET pipeline as its ONNX exporter writes it (layout: the expected files of ML.NET's own export tests,
/// dotnet/machinelearning, test/BaselineOutput/Common/Onnx): an input and an output for every column, one row or any number,
/// text through LabelEncoder and OneHotEncoder, FeatureVectorizer and Scaler, then the model.
/// </summary>
internal sealed class MlNetModel
{
    private readonly GraphProto graph = new() { Name = "model" };

    /// <param name="numbers">Names of float columns of one number each.</param>
    /// <param name="text">Name of the text column.</param>
    /// <param name="categories">Its values, in the order of their keys.</param>
    /// <param name="scale">What the normalizer multiplies each feature by: numbers first, then categories.</param>
    public MlNetModel(IReadOnlyList<string> numbers, string text, IReadOnlyList<string> categories, IReadOnlyList<float> scale)
    {
        Column("Label", DataType.Bool);
        foreach (var name in numbers) Column(name, DataType.Float);
        graph.Input.Add(Graph.Value(text, DataType.String, [-1, 1]));
        long[] keys = [.. Enumerable.Range(1, categories.Count).Select(k => (long)k)];
        Classical("LabelEncoder", [text], ["LabelEncoderOutput"], ("keys_strings", categories), ("values_int64s", keys), ("default_int64", -1L));
        Node("Cast", ["LabelEncoderOutput"], ["key"], ("to", (long)DataType.Uint32));
        Node("Cast", ["key"], ["key64"], ("to", (long)DataType.Int64));
        Classical("OneHotEncoder", ["key64"], ["encoded"], ("cats_int64s", keys), ("zeros", 1L));
        Node("ReduceSum", ["encoded"], ["bag"], ("axes", (long[])[1]), ("keepdims", 0L));
        long[] widths = [.. numbers.Select(_ => 1L), categories.Count];
        Classical("FeatureVectorizer", [.. numbers, "bag"], ["vector"], ("inputdimensions", widths));
        Classical("Scaler", ["vector"], ["Features"], ("offset", new float[scale.Count]), ("scale", scale));
    }

    /// <summary>A linear score and its probability.</summary>
    public ModelProto Linear(IReadOnlyList<float> weights, float bias, PlattCalibrator calibrator)
    {
        Classical("LinearRegressor", ["Features"], ["Score"], ("post_transform", "NONE"), ("targets", 1L), ("coefficients", weights), ("intercepts", (float[])[bias]));
        return Calibrated((float)-calibrator.Slope, (float)-calibrator.Offset);
    }

    /// <summary>A sum of trees and its probability. A child below 0 is the complement of a leaf's index.</summary>
    public ModelProto Trees(RegressionTreeEnsemble ensemble, PlattCalibrator calibrator)
    {
        var nodes = new List<(long Tree, long Id, long Feature, string Mode, float Value, long Yes, long No)>();
        var leaves = new List<(long Tree, long Id, float Weight)>();
        for (var t = 0; t < ensemble.Trees.Count; t++)
        {
            var tree = ensemble.Trees[t];
            long Id(int child) => child >= 0 ? child : tree.NumberOfNodes + ~child;
            for (var k = 0; k < tree.NumberOfNodes; k++)
                nodes.Add((t, k, tree.NumericalSplitFeatureIndexes[k], "BRANCH_LEQ", tree.NumericalSplitThresholds[k], Id(tree.LeftChild[k]), Id(tree.RightChild[k])));
            for (var k = 0; k < tree.NumberOfLeaves; k++)
            {
                nodes.Add((t, tree.NumberOfNodes + k, 0, "LEAF", 0, 0, 0));
                leaves.Add((t, tree.NumberOfNodes + k, (float)(ensemble.TreeWeights[t] * tree.LeafValues[k])));
            }
        }
        Classical("TreeEnsembleRegressor", ["Features"], ["Score"], ("post_transform", "NONE"), ("n_targets", 1L), ("aggregate_function", "SUM"), ("base_values", (float[])[(float)ensemble.Bias]),
            ("nodes_treeids", nodes.Select(n => n.Tree)), ("nodes_nodeids", nodes.Select(n => n.Id)), ("nodes_featureids", nodes.Select(n => n.Feature)), ("nodes_modes", nodes.Select(n => n.Mode)),
            ("nodes_values", nodes.Select(n => n.Value)), ("nodes_truenodeids", nodes.Select(n => n.Yes)), ("nodes_falsenodeids", nodes.Select(n => n.No)),
            ("target_treeids", leaves.Select(l => l.Tree)), ("target_nodeids", leaves.Select(l => l.Id)), ("target_ids", leaves.Select(_ => 0L)), ("target_weights", leaves.Select(l => l.Weight)));
        return Calibrated((float)-calibrator.Slope, (float)-calibrator.Offset);
    }

    private ModelProto Calibrated(float slope, float offset)
    {
        graph.Initializer.Add(Tensors.Of("Slope", [slope]));
        graph.Initializer.Add(Tensors.Of("Offset", [offset]));
        Node("Mul", ["Score", "Slope"], ["MulNodeOutput"]);
        Node("Add", ["MulNodeOutput", "Offset"], ["linearOutput"]);
        Node("Sigmoid", ["linearOutput"], ["Probability"]);
        Classical("Binarizer", ["Score"], ["BinarizerOutput"], ("threshold", 0f));
        Node("Cast", ["BinarizerOutput"], ["PredictedLabel"], ("to", (long)DataType.Bool));
        Output("PredictedLabel", DataType.Bool);
        Output("Score", DataType.Float);
        Output("Probability", DataType.Float);
        return new ModelProto
        {
            IrVersion = 6,
            ProducerName = "ML.NET",
            Graph = graph,
            OpsetImport = { new OperatorSetIdProto { Domain = "ai.onnx.ml", Version = 2 }, new OperatorSetIdProto { Domain = "", Version = 11 } },
        };
    }

    private void Column(string name, DataType type)
    {
        graph.Input.Add(Graph.Value(name, type, [-1, 1]));
        Output(name, type);
    }

    private void Output(string column, DataType type)
    {
        Node("Identity", [column], [column + ".output"]);
        graph.Output.Add(Graph.Value(column + ".output", type, [-1, 1]));
    }

    private void Classical(string op, string[] inputs, string[] outputs, params ReadOnlySpan<(string, object)> attributes)
    {
        Node(op, inputs, outputs, attributes);
        graph.Node[^1].Domain = "ai.onnx.ml";
    }

    private void Node(string op, string[] inputs, string[] outputs, params ReadOnlySpan<(string, object)> attributes) =>
        graph.Node.Add(Nodes.Create(op, inputs, outputs, $"{op}{graph.Node.Count}", attributes));
}
