using System.Diagnostics;
using System.Text.Json;
using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using MLNetLinearize.Benchmarks.Networks;
using MLNetLinearize.Benchmarks.Peers;
using MLNetLinearize.Runtime;

namespace MLNetLinearize.Benchmarks.Comparison;

/// <summary>Where the time of a case goes, operator by operator, from ONNX Runtime's own profiler.</summary>
internal static class OperatorProfile
{
    /// <summary>Runs, unless <see cref="Enough"/> of time is over before; the first sixth warms up.</summary>
    private const int MostRuns = 36;

    private static readonly TimeSpan Enough = TimeSpan.FromSeconds(20);

    /// <summary>
    /// Milliseconds and number of nodes of each operator, the most expensive first; forward and backward apart. A node of a loop's
    /// body counts with the median of its turns.
    /// </summary>
    public static IReadOnlyList<(string Operator, int Nodes, double Milliseconds)> Of(Case asked, int threads, bool byNode)
    {
        var network = NetworkCatalog.Make(asked.Network);
        var rows = network.Rows(asked.Batch);
        var model = OnnxWriter.Write(network);
        using var ours = asked.Question == Question.All ? Explaining.All(network, model, rows, asked.Batch, threads) : Explaining.Top(network, model, rows, asked.Batch, threads);
        // The prefix comes first: it is read when profiling is enabled, and without it the file would lie in the working directory.
        using var options = new SessionOptions { IntraOpNumThreads = threads, ProfileOutputPathPrefix = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName()), EnableProfiling = true };
        using var session = new InferenceSession(ExplanationSession.Only(ours.Graph.Model, ours.Session.Outputs).ToByteArray(), options);
        using var input = OrtArrays.Wrap(rows, [asked.Batch, .. network.RowShape.Select(d => (long)d)]);
        using var run = new RunOptions();
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < MostRuns && (i < 2 || clock.Elapsed < Enough); i++) session.Run(run, [Network.Input], [input], session.OutputNames).Dispose();
        var file = session.EndProfiling();
        try
        {
            return Summed(file, byNode);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static List<(string, int, double)> Summed(string file, bool byNode)
    {
        using var profile = JsonDocument.Parse(File.ReadAllText(file));
        var events = profile.RootElement.EnumerateArray()
            .Where(e => e.GetProperty("cat").GetString() == "Node" && e.GetProperty("name").GetString()!.EndsWith("_kernel_time", StringComparison.Ordinal))
            .Select(e => (Node: e.GetProperty("name").GetString()!.Replace("_kernel_time", "", StringComparison.Ordinal), Operator: e.GetProperty("args").GetProperty("op_name").GetString()!, Time: e.GetProperty("dur").GetDouble()))
            .GroupBy(e => e.Node)
            .Select(g => (Node: g.Key, g.First().Operator, Time: Median([.. g.Select(e => e.Time).Skip((g.Count() + 5) / 6)]) / 1000))
            .ToList();
        string Key((string Node, string Operator, double Time) e) => byNode ? $"{e.Operator} {e.Node}" : $"{(e.Node.Contains("network/", StringComparison.Ordinal) ? "forward" : "backward")} {e.Operator}";
        return [.. events.GroupBy(Key).Select(g => (g.Key, g.Count(), g.Sum(e => e.Time))).OrderByDescending(g => g.Item3)];
    }

    private static double Median(double[] times) => times.Order().ElementAt(times.Length / 2);
}
