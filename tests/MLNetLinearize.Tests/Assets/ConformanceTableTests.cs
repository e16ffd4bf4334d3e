using System.Text;
using MLNetLinearize.Tests.Documentation;

namespace MLNetLinearize.Tests.Assets;

/// <summary>
/// All cases of the ONNX project, as one committed table. <c>MLNETLINEARIZE_UPDATE_CONFORMANCE=1 dotnet test --filter ConformanceTableTests</c>
/// writes it again.
/// </summary>
public class ConformanceTableTests
{
    private const double LargestRefusedShare = 0.04;

    private static readonly (Verdict Verdict, string Title)[] Titles =
    [
        (Verdict.Fail, "fail"),
        (Verdict.Refused, "refused"),
        (Verdict.BeyondSingle, "beyond float32, in which the library computes"),
        (Verdict.AnsweredDifferently, "answered differently by ONNX Runtime"),
        (Verdict.NotRunByOnnxRuntime, "not run by ONNX Runtime"),
        (Verdict.NothingToExplain, "nothing to explain"),
        (Verdict.Pass, "pass"),
    ];

    [AssetFact]
    public void Every_case_is_explained_or_refused_by_name()
    {
        var results = ConformanceCase.AllNames.Select(n => (Name: n, Result: ConformanceRun.Of(n))).ToList();
        var file = Repository.File("tests/MLNetLinearize.Tests/Assets/conformance.txt");
        var table = Write(results);
        if (Environment.GetEnvironmentVariable("MLNETLINEARIZE_UPDATE_CONFORMANCE") == "1") File.WriteAllText(file, table);
        Assert.DoesNotContain(results, r => r.Result.Verdict == Verdict.Fail);
        Assert.InRange(results.Count(r => r.Result.Verdict == Verdict.Refused), 0, (int)(LargestRefusedShare * results.Count));
        Assert.Equal(File.ReadAllText(file).ReplaceLineEndings("\n"), table);
    }

    private static string Write(IReadOnlyList<(string Name, (Verdict Verdict, string Detail) Result)> results)
    {
        var text = new StringBuilder("Every float output of the ONNX project's cases by every float input: primal, error of W·x + b, and W.\n\n");
        foreach (var set in results.GroupBy(r => r.Name.Split('/')[0]))
            text.Append($"{set.Key,-24}{set.Count(),4} cases   {string.Join("   ", Titles.Select(t => (t.Title, Count: set.Count(r => r.Result.Verdict == t.Verdict))).Where(t => t.Count > 0).Reverse().Select(t => $"{t.Title} {t.Count}"))}\n");
        text.Append($"\nThe error of W·x + b is at most 1e-4 of max(1, |F|). Where the table says otherwise the score is made of contributions so large that\nfloat32 cannot tell it that closely: a sum of terms tᵢ is known to a few 2⁻²³·Σ|tᵢ|, of terms of 10,000 to about 0.001. There it\nmust be at most 4·2⁻²³·Σ|W∘x|: the errors of sums grow with Σ|tᵢ| (Higham 2002, Accuracy and Stability of Numerical Algorithms, §4.2).\n");
        text.Append("\nW of the passing cases is checked against\n");
        foreach (var how in results.Where(r => r.Result.Verdict == Verdict.Pass).GroupBy(r => r.Result.Detail).OrderByDescending(g => g.Count()))
            text.Append($"{how.Count(),6}   {how.Key}\n");
        foreach (var (verdict, title) in Titles.Where(t => results.Any(r => r.Result.Verdict == t.Verdict)))
        {
            text.Append($"\n{title}\n");
            foreach (var (name, (_, detail)) in results.Where(r => r.Result.Verdict == verdict)) text.Append($"  {name}: {detail}\n");
        }
        return text.ToString();
    }
}
