using Microsoft.ML.OnnxRuntime;
using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Runtime;

/// <summary>A linearization graph opened in ONNX Runtime: whole, or in shares of its targets. For any number of threads.</summary>
internal abstract class NetworkRun : IDisposable
{
    /// <param name="model">The graph, with no other outputs than those to fetch.</param>
    /// <param name="outputs">The outputs in the order in which they are fetched.</param>
    /// <param name="options">What is explained.</param>
    /// <param name="kind">How a run uses threads.</param>
    public static NetworkRun Open(ModelProto model, string[] outputs, LinearizeOptions options, RunKind kind)
    {
        NetworkRun OnOneThread() => new Whole(model, outputs, options with { Threads = 1 });
        if (kind.IsOneThread) return OnOneThread();
        NetworkRun onAll = kind.Shares > 1 && TargetShares.Suits(model)
            ? new Shared(model, outputs, options with { Threads = kind.ThreadsOfAShare }, kind.Shares)
            : new Whole(model, outputs, options);
        return options.GpuDeviceId is null ? new ByLoad(onAll, OnOneThread) : onAll;
    }

    /// <summary>Computes the outputs from all inputs, in the model's order.</summary>
    /// <param name="options">Of ONNX Runtime.</param>
    /// <param name="inputValues">The inputs.</param>
    /// <param name="outputValues">The outputs.</param>
    /// <param name="isAlone">Whether no other run of this network is under way.</param>
    public abstract void Run(RunOptions options, OrtValue[] inputValues, OrtValue[] outputValues, bool isAlone = true);

    public abstract void Dispose();

    private sealed class Whole(ModelProto model, string[] outputs, LinearizeOptions options) : NetworkRun
    {
        private readonly InferenceSession session = Sessions.Create(model, options);
        private readonly string[] inputs = [.. model.Graph.Input.Select(i => i.Name)];

        public override void Run(RunOptions options, OrtValue[] inputValues, OrtValue[] outputValues, bool isAlone) => session.Run(options, inputs, inputValues, outputs, outputValues);

        public override void Dispose() => session.Dispose();
    }

    /// <summary>
    /// Runs on all threads while they come one by one. A run that begins while another is under way stays on its own thread: the
    /// others then have work of their own. That session is opened beside the runs when it is first wanted.
    /// </summary>
    private sealed class ByLoad(NetworkRun onAll, Func<NetworkRun> open) : NetworkRun
    {
        private readonly Lazy<Task<NetworkRun>> onOne = new(() => Task.Run(open));

        public override void Run(RunOptions options, OrtValue[] inputValues, OrtValue[] outputValues, bool isAlone) =>
            (isAlone || !onOne.Value.IsCompletedSuccessfully ? onAll : onOne.Value.Result).Run(options, inputValues, outputValues, isAlone);

        public override void Dispose()
        {
            onAll.Dispose();
            if (onOne.IsValueCreated) onOne.Value.ContinueWith(opened => opened.Result.Dispose(), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
        }
    }

    /// <summary>A run of each share on threads of its own, side by side, then one of the rest, which takes their results without a copy.</summary>
    private sealed class Shared : NetworkRun
    {
        private readonly List<(InferenceSession Session, List<string> Outputs)> shares = [];
        private readonly InferenceSession rest;
        private readonly string[] inputs, outputs;
        private readonly IReadOnlyList<string> restInputs;

        /// <summary>For each input of the rest the share that makes it, or −1 for the graph's inputs, and its place there.</summary>
        private readonly List<(int Share, int Index)> given;

        public Shared(ModelProto model, string[] outputs, LinearizeOptions options, int count)
        {
            inputs = [.. model.Graph.Input.Select(i => i.Name)];
            this.outputs = outputs;
            var cut = TargetShares.Of(model, count);
            try
            {
                foreach (var (share, made) in cut.Shares) shares.Add((Sessions.Create(share, options), made));
                given = [.. cut.Given.Select(PlaceOf)];
                (var behind, restInputs) = cut.Rest(TypeOf);
                rest = Sessions.Create(behind, options);
            }
            catch
            {
                foreach (var (session, _) in shares) session.Dispose();
                throw;
            }
        }

        public override void Run(RunOptions options, OrtValue[] inputValues, OrtValue[] outputValues, bool isAlone)
        {
            var made = new IDisposableReadOnlyCollection<OrtValue>?[shares.Count];
            try
            {
                SideBySide.Run(made.Length, made.Length, s => made[s] = shares[s].Session.Run(options, inputs, inputValues, shares[s].Outputs));
                rest.Run(options, restInputs, [.. given.Select(g => g.Share < 0 ? inputValues[g.Index] : made[g.Share]![g.Index])], outputs, outputValues);
            }
            finally
            {
                foreach (var results in made) results?.Dispose();
            }
        }

        public override void Dispose()
        {
            foreach (var (session, _) in shares) session.Dispose();
            rest.Dispose();
        }

        private DataType TypeOf(string tensor)
        {
            var (share, _) = PlaceOf(tensor);
            return (DataType)(share < 0 ? shares[0].Session.InputMetadata : shares[share].Session.OutputMetadata)[tensor].ElementDataType;
        }

        private (int Share, int Index) PlaceOf(string tensor)
        {
            var share = shares.FindIndex(s => s.Outputs.Contains(tensor));
            return (share, share < 0 ? Array.IndexOf(inputs, tensor) : shares[share].Outputs.IndexOf(tensor));
        }
    }
}
