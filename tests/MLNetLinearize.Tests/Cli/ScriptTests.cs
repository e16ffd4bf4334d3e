using System.Text.Json;

namespace MLNetLinearize.Tests.Cli;

/// <summary>What programs and shells see: JSON, completion, and files that must not be written over.</summary>
public class ScriptTests
{
    [Fact]
    public void Explain_tells_programs_its_summary()
    {
        using var folder = new TemporaryFolder();
        var json = Json(CliRun.Of("explain", TinyModels.WriteLinear(folder), folder.Write("rows.csv", "a,b,c,truth\n1,2,3,1\n0,-1,4,1\n"), "--label-column", "truth", "--out", folder.File("out.csv"), "--json"));
        Assert.Equal((2, 2, 1, 0.5), (json.GetProperty("rows").GetInt32(), json.GetProperty("labelled").GetInt32(), json.GetProperty("right").GetInt32(), json.GetProperty("accuracy").GetDouble()));
        Assert.Equal(0, json.GetProperty("error").GetProperty("scaled").GetProperty("worst").GetDouble());
        Assert.Equal(folder.File("out.csv"), json.GetProperty("out").GetString());
        Assert.Equal("y", json.GetProperty("explainedOutput").GetString());
    }

    [Fact]
    public void The_other_commands_do_too()
    {
        using var folder = new TemporaryFolder();
        var (model, rows) = (TinyModels.WriteLinear(folder), folder.Write("rows.csv", "a,b,c\n1,2,3\n"));
        var verify = Json(CliRun.Of("verify", model, rows, "--json", "--tolerance", "0"));
        Assert.True(verify.GetProperty("passed").GetBoolean());
        Assert.Equal(1, verify.GetProperty("scoresAgainstTheModel").GetProperty("values").GetInt32());
        var inspect = Json(CliRun.Of("inspect", model, "--json"));
        Assert.Equal(("Gemm", 6), (inspect.GetProperty("nodes")[0].GetProperty("operator").GetString(), inspect.GetProperty("nodes")[0].GetProperty("multiplyAdds").GetInt32()));
        var export = Json(CliRun.Of("export", model, folder.File("out.onnx"), "--json"));
        Assert.Equal("[N, 1, 3]", export.GetProperty("outputs").EnumerateArray().Single(o => o.GetProperty("name").GetString() == "Attribution").GetProperty("shape").GetString());

        var refused = CliRun.Of("inspect", TinyModels.WriteRefused(folder), "--json");
        Assert.Equal(2, refused.Code);
        var told = JsonDocument.Parse(refused.Out).RootElement;
        Assert.False(told.GetProperty("linearizable").GetBoolean());
        Assert.Equal("pick", told.GetProperty("nodes")[0].GetProperty("name").GetString());
    }

    [Theory]
    [InlineData(1, "does not exist", "explain", "absent.onnx", "rows.csv", "--json")]
    [InlineData(1, "Unrecognized command or argument 'explode'", "explode", "--json")]
    [InlineData(1, "Required argument 'DATA' missing", "explain", "m.onnx", "--json")]
    public void Errors_are_one_json_line(int code, string message, params string[] arguments)
    {
        var run = CliRun.Of(arguments);
        Assert.Equal((code, ""), (run.Code, run.Out));
        var error = JsonDocument.Parse(run.Error.Split('\n')[0]).RootElement.GetProperty("error");
        Assert.Equal(code, error.GetProperty("code").GetInt32());
        Assert.Contains(message, error.GetProperty("message").GetString(), StringComparison.Ordinal);
        foreach (var line in run.Error.TrimEnd('\n').Split('\n')) Assert.Equal(JsonValueKind.Object, JsonDocument.Parse(line).RootElement.ValueKind);
    }

    [Theory]
    [InlineData("explain --for", "--format")]
    [InlineData("explain m.onnx d.csv --format ", "parquet")]
    [InlineData("explain m.onnx d.csv --nonlinearity ", "frozen")]
    [InlineData("comp", "completion")]
    public void The_tool_suggests_what_shells_complete(string typed, string expected)
    {
        var line = $"mlnet-linearize {typed}";
        var run = CliRun.Of($"[suggest:{line.Length}]", line);
        Assert.Equal(0, run.Code);
        Assert.Contains(expected, run.Out.Split('\n'));
    }

    [Fact]
    public void Completion_scripts_ask_the_tool()
    {
        foreach (var shell in new[] { "bash", "zsh", "pwsh" })
        {
            var run = CliRun.Of("completion", shell);
            Assert.Equal((0, ""), (run.Code, run.Error));
            Assert.Contains("mlnet-linearize \"[suggest:", run.Out, StringComparison.Ordinal);
        }
        Assert.Equal(1, CliRun.Of("completion", "fish").Code);
    }

    [Theory]
    [InlineData("explain", "rows.csv", "--out")]
    [InlineData("explain", "rows.csv", "--picture")]
    [InlineData("export")]
    public void A_model_s_weights_beside_it_are_not_written_over(string command, params string[] more)
    {
        using var folder = new TemporaryFolder();
        var model = TinyModels.WriteExternal(folder);
        folder.Write("rows.csv", "a,b,c\n1,2,3\n");
        var weights = File.ReadAllBytes(folder.File("linear.weights"));
        Assert.Equal(0, CliRun.Of("explain", model, folder.File("rows.csv"), "--quiet").Code);
        var run = CliRun.Of([command, model, .. more.Select(m => m == "rows.csv" ? folder.File(m) : m), folder.File("linear.weights")]);
        Assert.Equal((1, ""), (run.Code, run.Out));
        Assert.Contains("is the weights of MODEL, itself, which writing would destroy.", run.Error, StringComparison.Ordinal);
        Assert.Equal(weights, File.ReadAllBytes(folder.File("linear.weights")));
    }

    [Fact]
    public void Runs_are_repeatable_to_the_last_byte()
    {
        using var folder = new TemporaryFolder();
        foreach (var i in new[] { 1, 2, 3 })
            Assert.Equal(0, CliRun.Of("explain", Samples.Model("digits-cnn.onnx"), Samples.Digits, "--label-column", "label", "--scale", "1/16", "--quiet", "--out", folder.File($"{i}.csv")).Code);
        Assert.Equal(File.ReadAllText(folder.File("1.csv")), File.ReadAllText(folder.File("2.csv")));
        Assert.Equal(File.ReadAllText(folder.File("1.csv")), File.ReadAllText(folder.File("3.csv")));
    }

    private static JsonElement Json(CliRun run)
    {
        Assert.Equal((0, ""), (run.Code, run.Error));
        return JsonDocument.Parse(run.Out).RootElement;
    }
}
