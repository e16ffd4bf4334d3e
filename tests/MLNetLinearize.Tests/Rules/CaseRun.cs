using System.Collections.Concurrent;
using MLNetLinearize.Linearization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Tests.Oracle;

namespace MLNetLinearize.Tests.Rules;

/// <summary>A case with everything that the tests compare, computed once for all of them.</summary>
internal sealed class CaseRun
{
    public const int RowCount = 5;

    private static readonly ConcurrentDictionary<string, CaseRun> Runs = [];
    private readonly Lazy<AffineMap[]> oracle;
    private readonly Lazy<AffineMap[]> frozenOracle;
    private readonly Lazy<float[][]> original;
    private readonly Lazy<Linearizer> linearizer;
    private readonly Lazy<IReadOnlyList<LinearMap>> maps;

    private CaseRun(RuleCase one)
    {
        Case = one;
        (Model, Explained) = one.Build();
        Rows = one.Rows(RowCount);
        oracle = new(() => [.. Rows.Select(r => DenseOracle.Linearize(Model, "x", Widen(r), one.InputShape, Explained))]);
        frozenOracle = new(() => [.. Rows.Select(r => Reading.Frozen(() => DenseOracle.Linearize(Model, "x", Widen(r), one.InputShape, Explained)))]);
        original = new(RunOriginal);
        linearizer = new(() => new(Compile(Targets.All)));
        maps = new(() => Linearizer.ExplainBatch([.. Rows.SelectMany(r => r)], RowCount));
    }

    public RuleCase Case { get; }

    public ModelProto Model { get; }

    public string Explained { get; }

    public float[][] Rows { get; }

    /// <summary>The oracle's map of each row.</summary>
    public AffineMap[] Oracle => oracle.Value;

    /// <summary>The same, read as A(x)·x.</summary>
    public AffineMap[] FrozenOracle => frozenOracle.Value;

    /// <summary>The explained tensor of each row, from the original model in ONNX Runtime.</summary>
    public float[][] Original => original.Value;

    public Linearizer Linearizer => linearizer.Value;

    /// <summary>The compiled graph's maps of all rows, explained as one batch.</summary>
    public IReadOnlyList<LinearMap> Maps => maps.Value;

    public static CaseRun Of(string name) => Runs.GetOrAdd(name, n => new(RuleCases.Named(n)));

    /// <summary>Compiles the case; in reverse mode, which shows what the rules do, unless another order is chosen.</summary>
    public LinearizationGraph Compile(Targets targets, Nonlinearity nonlinearity = Nonlinearity.Tangent, Func<AccumulationChoice, JacobianAccumulation>? order = null) =>
        Compiler.Compile(Model, new LinearizeOptions { Targets = targets, Nonlinearity = nonlinearity }, order ?? (choice => choice.Reverse));

    public double[] Forward(double[] x) => DenseOracle.Forward(Model, "x", x, Case.InputShape, Explained);

    public static Stream Stream(ModelProto model)
    {
        var stream = new MemoryStream();
        Google.Protobuf.MessageExtensions.WriteTo(model, stream);
        stream.Position = 0;
        return stream;
    }

    public static double[] Widen(float[] row) => [.. row.Select(v => (double)v)];

    private float[][] RunOriginal()
    {
        using var model = new OriginalModel(Model, Explained);
        return [.. Rows.Select(r => model.Run("x", r, Case.InputShape))];
    }
}
