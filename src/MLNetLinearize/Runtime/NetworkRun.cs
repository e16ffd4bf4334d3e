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
            ? new Shared(model, outputs, options, kind)
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

    /// <summary>
    /// A run of each share on threads of its own, side by side, and before them one on all threads of what they all need, if it is
    /// made once; then one of the rest. Runs take the results of those before without a copy.
    /// </summary>
    private sealed class Shared : NetworkRun
    {
        private readonly List<Stage> stages = [];
        private readonly int shares;
        private readonly string[] inputs, outputs;

        public Shared(ModelProto model, string[] outputs, LinearizeOptions options, RunKind kind)
        {
            inputs = [.. model.Graph.Input.Select(i => i.Name)];
            this.outputs = outputs;
            var cut = TargetShares.Of(model, kind.Shares, kind.IsForwardOnce);
            shares = cut.Shares.Count;
            var ofAShare = options with { Threads = kind.ThreadsOfAShare };
            try
            {
                if (cut.Forward is { } forward) Open(forward, options);
                foreach (var share in cut.Shares) Open(share, ofAShare);
                Open(cut.Rest, ofAShare);
            }
            catch
            {
                Dispose();
                throw;
            }
        }

        public override void Run(RunOptions options, OrtValue[] inputValues, OrtValue[] outputValues, bool isAlone)
        {
            var made = new IDisposableReadOnlyCollection<OrtValue>?[stages.Count - 1];
            OrtValue[] Given(Stage stage) => [.. stage.Given.Select(g => g.Stage < 0 ? inputValues[g.Index] : made[g.Stage]![g.Index])];
            void Make(int i) => made[i] = stages[i].Session.Run(options, stages[i].Inputs, Given(stages[i]), stages[i].Outputs);
            try
            {
                var first = made.Length - shares;
                for (var i = 0; i < first; i++) Make(i);
                SideBySide.Run(shares, shares, s => Make(first + s));
                stages[^1].Session.Run(options, stages[^1].Inputs, Given(stages[^1]), outputs, outputValues);
            }
            finally
            {
                foreach (var results in made) results?.Dispose();
            }
        }

        public override void Dispose()
        {
            foreach (var stage in stages) stage.Session.Dispose();
        }

        private void Open(GraphPart part, LinearizeOptions options)
        {
            List<(int, int)> given = [.. part.Given.Select(PlaceOf)];
            var model = part.Model(TypeOf);
            stages.Add(new(Sessions.Create(model, options), [.. model.Graph.Input.Select(i => i.Name)], given, [.. part.Outputs]));
        }

        private DataType TypeOf(string tensor) => (DataType)stages[PlaceOf(tensor).Stage].Session.OutputMetadata[tensor].ElementDataType;

        private (int Stage, int Index) PlaceOf(string tensor)
        {
            var stage = stages.FindIndex(s => s.Outputs.Contains(tensor));
            return (stage, stage < 0 ? Array.IndexOf(inputs, tensor) : Array.IndexOf(stages[stage].Outputs, tensor));
        }

        /// <param name="Session">The part in ONNX Runtime.</param>
        /// <param name="Inputs">Its inputs.</param>
        /// <param name="Given">For each input the stage that makes it, or −1 for the graph's inputs, and its place there.</param>
        /// <param name="Outputs">Its outputs.</param>
        private sealed record Stage(InferenceSession Session, IReadOnlyList<string> Inputs, List<(int Stage, int Index)> Given, string[] Outputs);
    }
}
