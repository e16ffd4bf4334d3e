using MathNet.Numerics.LinearAlgebra;
using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Tests.Oracle;

/// <summary>
/// A slow second implementation of the local affine map, in double precision and forward mode, straight from the original
/// model. It shares no code with the compiler, so an agreement of the two is evidence.
/// </summary>
internal static class DenseOracle
{
    /// <summary>The affine map of one tensor with respect to every element of one input.</summary>
    public static AffineMap Linearize(ModelProto model, string inputName, double[] x, long[] shape, string? outputName = null) =>
        Linearize(model, inputName, x, shape, [.. Enumerable.Range(0, x.Length).Select(i => Unit(x.Length, i))], outputName);

    /// <summary>The affine map along given directions: column i of W is <c>W·directions[i]</c>.</summary>
    public static AffineMap Linearize(ModelProto model, string inputName, double[] x, long[] shape, IReadOnlyList<double[]> directions, string? outputName = null, IReadOnlyDictionary<string, Dual>? otherInputs = null, Random? rounding = null)
    {
        var input = new Dual(Shapes.Ints(shape), x, [.. directions, new double[x.Length]]);
        var output = outputName ?? model.Graph.Output[0].Name;
        var result = Evaluate(model, new Dictionary<string, Dual>(otherInputs ?? new Dictionary<string, Dual>()) { [inputName] = input }, output, rounding);
        var columns = result.Columns ?? [.. directions.Select(_ => new double[result.Value.Length]), result.Value];
        var weights = Matrix<double>.Build.Dense(result.Value.Length, directions.Count, (r, c) => columns[c][r]);
        return new(result.Shape, result.Value, weights, columns[^1]);
    }

    /// <summary>The plain forward pass in double precision.</summary>
    public static double[] Forward(ModelProto model, string inputName, double[] x, long[] shape, string? outputName = null) =>
        Evaluate(model, new Dictionary<string, Dual> { [inputName] = new(Shapes.Ints(shape), x) }, outputName ?? model.Graph.Output[0].Name).Value;

    /// <param name="model">The model.</param>
    /// <param name="feeds">Its inputs.</param>
    /// <param name="outputName">The tensor that is asked for.</param>
    /// <param name="rounding">
    /// Where given, what every operator makes is moved by up to a unit of float32's last place, at random: runs that differ show what float32
    /// may make of the network (stochastic arithmetic: Vignes 1993, "A stochastic arithmetic for reliable scientific computation").
    /// </param>
    public static Dual Evaluate(ModelProto model, IReadOnlyDictionary<string, Dual> feeds, string outputName, Random? rounding = null)
    {
        var opset = model.OpsetImport.FirstOrDefault(o => o.Domain is "" or "ai.onnx")?.Version ?? 1;
        var tensors = model.Graph.Initializer.ToDictionary(t => t.Name, Read);
        foreach (var (name, value) in feeds) tensors[name] = value;
        var lastReader = LastReaders(model.Graph, outputName);
        for (var n = 0; n < model.Graph.Node.Count; n++)
        {
            var node = model.Graph.Node[n];
            if (tensors.ContainsKey(outputName)) break;
            var inputs = node.Input.Select(i => i.Length == 0 ? null : tensors[i]).ToArray();
            var results = OracleOperators.Apply(new OracleNode(node, inputs, opset));
            for (var i = 0; i < node.Output.Count; i++)
                if (node.Output[i].Length > 0 && i < results.Count) tensors[node.Output[i]] = rounding is null ? results[i] : results[i].Rounded(rounding);
            // Dense tangents are large; a tensor goes when its last reader has run.
            foreach (var name in node.Input.Where(i => lastReader.GetValueOrDefault(i, -1) == n)) tensors.Remove(name);
        }
        return tensors[outputName];
    }

    public static Dual Read(TensorProto tensor)
    {
        var shape = Shapes.Ints(tensor.Dims);
        if (tensor.ElementType() is DataType.Float or DataType.Double) return new(shape, tensor.ToDouble());
        var values = QuantizedElements.Knows(tensor.ElementType()) ? QuantizedElements.Read(tensor) : [.. tensor.ToInt64().Select(v => (double)v)];
        return new(shape, values, null, true) { StoredAs = tensor.ElementType() };
    }

    private static Dictionary<string, int> LastReaders(GraphProto graph, string kept)
    {
        var readers = new Dictionary<string, int>();
        for (var n = 0; n < graph.Node.Count; n++)
            foreach (var name in graph.Node[n].Input) readers[name] = n;
        readers.Remove(kept);
        return readers;
    }

    private static double[] Unit(int length, int i)
    {
        var unit = new double[length];
        unit[i] = 1;
        return unit;
    }
}

/// <summary><c>values = weights·x + bias</c>; with all unit directions, <see cref="Weights"/> is W itself.</summary>
internal sealed record AffineMap(int[] Shape, double[] Values, Matrix<double> Weights, double[] Bias);
