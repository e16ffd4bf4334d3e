using Microsoft.ML.OnnxRuntime;
using MLNetLinearize.Onnx;

namespace MLNetLinearize.Fuzz;

/// <summary>Compiles one mutant, explains a row of it, and compares the score with ONNX Runtime's own.</summary>
internal static class Trial
{
    private const double LargestError = 1e-2;
    private const string Guard = "malformed, or holds what the library does not expect";

    /// <param name="mutant">The mutant.</param>
    /// <param name="seed">Draws the row.</param>
    /// <param name="stage">Is told what begins.</param>
    public static Verdict Run(Mutant mutant, int seed, Action<Stage> stage)
    {
        var file = Path.Combine(Path.GetTempPath(), $"mutant-{Environment.ProcessId}.onnx");
        File.WriteAllBytes(file, mutant.Bytes);
        try
        {
            return Run(file, mutant, seed, stage);
        }
        catch (InvalidModelException e)
        {
            return new(e.Message.Contains(Guard, StringComparison.Ordinal) ? Outcome.Guarded : Outcome.Refused, FirstLine(e));
        }
        catch (Exception e) when (e is UnsupportedOperatorException or IOException)
        {
            return new(Outcome.Refused, FirstLine(e));
        }
        catch (Exception e)
        {
            return new(Outcome.Undocumented, $"{e.GetType().Name}: {FirstLine(e)} {Place(e)}");
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static Verdict Run(string file, Mutant mutant, int seed, Action<Stage> stage)
    {
        stage(Stage.Compile);
        var options = new LinearizeOptions
        {
            Targets = seed % 2 == 0 ? Targets.All : Targets.Predicted,
            Threads = 1,
            MaxBytesPerRow = 1 << 20,
            MaxUnrolledSteps = 100,
            Limits = new() { MaxTime = TimeSpan.FromSeconds(10), MaxBytes = 1L << 30 },
        };
        var graph = LinearizationGraph.Compile(file, options);
        if (graph.ExplainedInputs.Count != 1) return new(Outcome.ExplainedUncompared, "several tensors explain");
        using var linearizer = new Linearizer(graph);
        var row = Row.Draw(graph, seed);
        if (row is null) return new(Outcome.ExplainedUncompared, "an input of another type");
        stage(Stage.Explain);
        LinearMap map;
        try
        {
            map = linearizer.Explain(row);
        }
        catch (OnnxRuntimeException e)
        {
            stage(Stage.OwnRun);
            var (_, why) = OwnRun.Scores(mutant.Bytes, graph, row);
            if (why is null) throw new InvalidOperationException($"No row runs, although the model's own do: {FirstLine(e)}", e);
            return new(Outcome.RowFails, FirstLine(e));
        }
        var terms = 1 + map.ExplainedScores.Select(s => (double)Math.Abs(s)).DefaultIfEmpty().Max() + map.Attribution.Enumerate().Sum(a => Math.Abs((double)a));
        for (var k = 0; k < map.Error.Count; k++)
            if (float.IsFinite(map.Error[k]) && map.Error[k] > LargestError * terms)
                return new(Outcome.Wrong, $"error {map.Error[k]} of target {k}, of terms {terms:G3}");
        stage(Stage.OwnRun);
        return OwnRun.Compare(mutant.Bytes, graph, row, [.. map.Scores]);
    }

    private static string FirstLine(Exception e) => e.Message.Split('\n', 2)[0].Trim();

    /// <summary>Where in the library it was thrown.</summary>
    private static string Place(Exception e) => string.Join(" < ", (e.StackTrace ?? "").Split('\n')
        .Select(l => l.Trim()).Where(l => l.StartsWith("at MLNetLinearize.", StringComparison.Ordinal)).Take(3)
        .Select(l => l["at MLNetLinearize.".Length..].Split('(')[0]));
}

/// <summary>What a worker is at.</summary>
internal enum Stage
{
    Draw,
    Compile,
    Explain,
    OwnRun,
}
