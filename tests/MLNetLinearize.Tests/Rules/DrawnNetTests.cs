using System.Globalization;
using System.Text;
using MLNetLinearize.Tests.Documentation;
using Xunit.Abstractions;

namespace MLNetLinearize.Tests.Rules;

/// <summary>
/// Networks drawn as exporters write them, against the oracle: score, W, b, and whether they are finite.
/// <c>MLNETLINEARIZE_DRAWN_NETWORKS=10000 dotnet test --filter DrawnNetTests</c> draws so many and writes what came of them to drawn-networks.txt;
/// <c>MLNETLINEARIZE_DRAWN_SEED</c> draws others.
/// </summary>
public class DrawnNetTests(ITestOutputHelper output)
{
    private const int Few = 200;

    [Fact]
    public void No_network_gets_a_wrong_number()
    {
        var asked = Environment.GetEnvironmentVariable("MLNETLINEARIZE_DRAWN_NETWORKS");
        var count = asked is null ? Few : int.Parse(asked, CultureInfo.InvariantCulture);
        var first = int.Parse(Environment.GetEnvironmentVariable("MLNETLINEARIZE_DRAWN_SEED") ?? "1", CultureInfo.InvariantCulture);
        var check = new DrawnNetCheck();
        for (var seed = first; seed < first + count; seed++) check.Explain(seed);
        var text = Write(check, first);
        output.WriteLine(text);
        if (asked is not null) File.WriteAllText(Repository.File("tests/MLNetLinearize.Tests/Rules/drawn-networks.txt"), text);
        Assert.True(check.Wrong.Count == 0, text);
        Assert.True(check.Refused.Count == 0, text);
        // A test in which nothing is compared would pass as well.
        Assert.True(check.WithoutSlope + check.BeyondSingle + check.AtKinks <= check.Compared / 50, text);
    }

    private static string Write(DrawnNetCheck check, int first)
    {
        var text = new StringBuilder();
        void Line(FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
        Line($"{check.Networks:N0} networks drawn from seed {first} on, 3 rows each, every output by every input, against the double-precision oracle:");
        Line($"");
        Line($"{check.Compared,9:N0} outputs of rows");
        Line($"{check.Wrong.Count,9:N0} wrong");
        Line($"{check.Refused.Count,9:N0} networks refused");
        Line($"{check.RowByRow,9:N0} networks that run row by row");
        Line($"{check.WithoutSlope,9:N0} outputs without a finite score or slope there");
        Line($"{check.BeyondSingle,9:N0} outputs of which ONNX Runtime's own float32 is off as well");
        Line($"{check.AtKinks,9:N0} outputs within rounding of a kink, or where rounding shows in the network itself");
        foreach (var line in check.Wrong.Concat(check.Refused).Take(200)) Line($"{line}");
        return text.ToString();
    }
}
