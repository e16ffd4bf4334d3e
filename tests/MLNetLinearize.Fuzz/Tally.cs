using System.Globalization;
using System.Text;

namespace MLNetLinearize.Fuzz;

/// <summary>Counts outcomes, and keeps what failed.</summary>
internal sealed class Tally
{
    private const int MostLines = 100;

    private static readonly (Outcome Outcome, string Text)[] Rows =
    [
        (Outcome.Explained, "explained, the score as ONNX Runtime has it"),
        (Outcome.ExplainedUncompared, "explained, and nothing to compare the score with"),
        (Outcome.Refused, "refused by a documented exception"),
        (Outcome.RowFails, "compiled; no row runs, nor in ONNX Runtime alone"),
        (Outcome.Guarded, "refused as malformed, without the node's name"),
        (Outcome.RuntimeAlone, "explained; ONNX Runtime crashes or hangs on the mutant itself"),
        (Outcome.Undocumented, "undocumented exceptions"),
        (Outcome.Wrong, "wrong scores"),
        (Outcome.Crash, "crashes"),
        (Outcome.Hang, "hangs"),
        (Outcome.Memory, "over memory"),
    ];

    private readonly Dictionary<Outcome, int> counts = [];
    private readonly List<string> failed = [];

    public int Total { get; private set; }

    public int Failures { get; private set; }

    public void Add(Verdict verdict)
    {
        Total++;
        if (verdict.IsFailure) Failures++;
        counts[verdict.Outcome] = counts.GetValueOrDefault(verdict.Outcome) + 1;
    }

    public void Failed(Verdict verdict, string line)
    {
        if (verdict.IsFailure) failed.Add(line);
    }

    public string Table(string title)
    {
        var text = new StringBuilder($"{title}:\n\n");
        foreach (var (outcome, what) in Rows) text.Append(CultureInfo.InvariantCulture, $"{counts.GetValueOrDefault(outcome),9:N0} {what}\n");
        if (failed.Count > 0) text.Append('\n');
        foreach (var line in failed.Take(MostLines)) text.Append(line).Append('\n');
        return text.ToString();
    }
}
