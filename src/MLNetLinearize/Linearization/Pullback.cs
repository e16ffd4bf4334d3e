using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Rules;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Linearization;

/// <summary>
/// The adjoint alone, for cotangents that the caller feeds: <c>u ↦ Wᵀu</c>. It is linear in u, and the rules are closed
/// under transposition, so its own pullback with respect to u is <c>d ↦ W·d</c>: the forward mode, without rules of its own.
/// (Of a <see cref="Nonlinearity.Frozen"/> graph that is A(x)·d, not a Jacobian–vector product.)
/// </summary>
internal static class Pullback
{
    /// <param name="model">The network, or a pullback.</param>
    /// <param name="options">What is explained by what; targets are ignored.</param>
    /// <param name="cotangent">Name of the new input, [N, K, C].</param>
    /// <param name="result">Name of the output, [N, K, d…].</param>
    /// <param name="targets">Cotangents a row, K.</param>
    public static ModelProto Compile(ModelProto model, LinearizeOptions options, string cotangent, string result, int targets = 1)
    {
        var (graph, request) = Compiler.Open(model, options);
        return Compiler.Settled(graph, request, network => Compile(network, request, cotangent, result, targets));
    }

    private static ModelProto Compile(CanonicalNetwork network, Request request, string cotangent, string result, int targets)
    {
        var active = Compiler.Active(network, request);
        var e = new Emitter(network.Graph, GraphNames.Prefix);
        var finish = new Finish(network, e, targets);
        var names = new GraphNames(network.Graph);
        var count = network.Shape(request.Output).Count;
        var batched = network.RowByRowReason is null;
        var seed = targets == 1 ? e.Reshape(cotangent, -1, count) : e.Transpose(cotangent, 1, 0, 2);
        var adjoint = Adjoint.Run(new Tape(network, e, active, request.Options.Nonlinearity, request.Opset) { Singularities = Singularities.Of(network) }, targets, [(request.Output, finish.Seed(seed, request.Output))]);
        var input = network.Inputs.FirstOrDefault(i => i.Name == request.Explained[0])?.ToGraphInput(true) ?? Compiler.Inner(network, request.Explained[0]);
        names.Output(result, finish.Weights(adjoint.OfOrZero(input.Name), input.Name, input.RowShape), [targets, .. input.RowShape.Select(d => (long)d)]);
        network.Graph.Inputs.Add(Graph.Value(cotangent, DataType.Float, [batched ? BatchAxis.Symbol : 1L, (long)targets, count]));
        Quantization.WriteOut(network, e);
        e.Settle();
        return names.Model(batched);
    }
}
