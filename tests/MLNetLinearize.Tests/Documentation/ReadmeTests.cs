using System.Text.RegularExpressions;
using MLNetLinearize.Tests.Rules;

namespace MLNetLinearize.Tests.Documentation;

public class ReadmeTests
{
    private static string Readme => File.ReadAllText(Repository.File("README.md")).ReplaceLineEndings("\n");

    [Fact]
    public void The_example_is_the_one_that_runs()
    {
        var source = File.ReadAllText(Repository.File("tests/MLNetLinearize.Tests/Documentation/ReadmeExample.cs")).ReplaceLineEndings("\n");
        var body = Regex.Match(source, @"// README\n(.*?)\n *// /README", RegexOptions.Singleline).Groups[1].Value;
        var code = string.Join('\n', body.Split('\n').Select(l => l.StartsWith("        ", StringComparison.Ordinal) ? l[8..] : l));
        Assert.True(code.Split('\n').Length <= 12);
        Assert.Contains(code, Repository.Part(Readme, "example"), StringComparison.Ordinal);
    }

    [Fact]
    public void The_operator_table_is_the_generated_one() => AssertGenerated("operators", OperatorTable.Write());

    [Fact]
    public void The_table_of_speed_is_the_measured_one() => AssertGenerated("speed", SpeedTable.Write());

    [Fact]
    public void The_times_of_compilation_are_the_measured_ones() => AssertGenerated("compile", SpeedTable.WriteCompileTimes());

    [Fact]
    public void Every_rule_has_a_case_that_checks_it()
    {
        var covered = OperatorTable.Cases();
        Assert.Equal("", string.Join(", ", OperatorTable.WithRule().Where(op => !covered.ContainsKey(op))));
    }

    [Fact]
    public void Every_figure_of_the_first_run_comes_from_the_committed_run()
    {
        var committed = File.ReadAllText(Repository.File("samples/results/fashion.txt")).ReplaceLineEndings("\n").Trim();
        Assert.Contains(committed, Repository.Part(Readme, "first run"), StringComparison.Ordinal);
    }

    [Fact]
    public void Adding_an_operator_is_what_was_added_for_one()
    {
        var lines = Repository.Part(Readme, "adding").Split('\n').Where(l => !l.StartsWith("```", StringComparison.Ordinal)).ToList();
        Assert.InRange(lines.Count, 2, 10);
        var file = "";
        foreach (var line in lines)
        {
            if (line.StartsWith("// ", StringComparison.Ordinal)) file = line[3..];
            else Assert.Contains(line, File.ReadLines(Repository.File(file)).Select(l => l.Trim()));
        }
    }

    [Fact]
    public void Every_local_link_leads_somewhere()
    {
        foreach (Match link in Regex.Matches(Readme, @"\]\((?!https?:|#)([^)]+)\)"))
            Assert.True(Path.Exists(Repository.File(link.Groups[1].Value)), link.Value);
    }

    private static void AssertGenerated(string part, string text)
    {
        if (Environment.GetEnvironmentVariable("MLNETLINEARIZE_UPDATE_README") == "1")
        {
            var path = Repository.File("README.md");
            File.WriteAllText(path, Readme.Replace($"<!-- {part} -->\n{Repository.Part(Readme, part)}\n", $"<!-- {part} -->\n{text}\n", StringComparison.Ordinal));
        }
        Assert.Equal(text, Repository.Part(Readme, part));
    }
}
