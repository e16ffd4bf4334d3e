using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using MLNetLinearize.Tests.Documentation;

namespace MLNetLinearize.Tests.SamplePrograms;

public sealed class ServiceTests(ServiceProcess service) : IClassFixture<ServiceProcess>
{
    private const string Results = "samples/Service/results";
    private static readonly string[] Lines = File.ReadAllLines("samples/data/breast-cancer/breast-cancer.csv");
    private static readonly string[] Names = Lines[0].Split(',')[1..];
    private static readonly float[][] Rows = [.. Lines[1..].Select(l => l.Split(',')[1..].Select(v => float.Parse(v, CultureInfo.InvariantCulture)).ToArray())];

    [Fact]
    public async Task AnswersManyAtOnceWithWhatTheBatchesGive()
    {
        using var linearizer = new Linearizer("samples/models/breast-cancer-mlp.onnx", new() { Targets = Targets.PredictedVersusRunnerUp });
        var maps = linearizer.ExplainBatch([.. Rows.SelectMany(r => r)], Rows.Length);
        var labels = File.ReadAllLines("samples/data/breast-cancer/labels.txt");

        var answers = await Task.WhenAll(Rows.Select(Ask));

        Assert.Equal(2, maps.Select(m => m.Targets[0]).Distinct().Count()); // both diagnoses occur
        foreach (var (answer, map) in answers.Zip(maps))
        {
            Assert.Equal(labels[map.Targets[0]], (string?)answer["diagnosis"]);
            Near(map.ExplainedScores[0], answer["logOdds"]);
            Near(map.Bias[0], answer["bias"]);
            Near(1 / (1 + Math.Exp(-map.ExplainedScores[0])), answer["probability"]);
            Assert.True((double)answer["error"]! <= 1e-5);
            var contributions = answer["contributions"]!.AsArray();
            Assert.Equal(Names.Length, contributions.Select(c => (string)c!["measurement"]!).Distinct().Count());
            Assert.All(contributions, c => Near(map.Attribution[0, Array.IndexOf(Names, (string)c!["measurement"]!)], c["logOdds"]));
            var sizes = contributions.Select(c => Math.Abs((double)c!["logOdds"]!)).ToArray();
            Assert.Equal(sizes.OrderDescending(), sizes);
        }
    }

    [Fact]
    public async Task AnswersAsItsReadmeSays()
    {
        using var request = Json(await File.ReadAllTextAsync($"{Results}/case.json"));
        using var response = await service.Client.PostAsync("/explanations", request);
        var (expected, actual) = (JsonNode.Parse(await File.ReadAllTextAsync($"{Results}/answer.json"))!, JsonNode.Parse(await response.Content.ReadAsStringAsync())!);

        Assert.Equal((string?)expected["diagnosis"], (string?)actual["diagnosis"]);
        foreach (var name in new[] { "probability", "logOdds", "bias" }) Near((double)expected[name]!, actual[name]);
        foreach (var (e, a) in expected["contributions"]!.AsArray().Zip(actual["contributions"]!.AsArray())) Near((double)e!["logOdds"]!, a!["logOdds"]);
        var readme = await File.ReadAllTextAsync("samples/Service/README.md");
        Assert.Contains((await File.ReadAllTextAsync($"{Results}/load.txt")).TrimEnd(), readme, StringComparison.Ordinal);
    }

    [Fact]
    public void DrawsAnAnswer()
    {
        using var run = new SampleRun("Service", "draw", Repository.File($"{Results}/answer.json"));
        run.Draws("answer.png", 1700, 900);
    }

    [Theory]
    [InlineData("{}", "errors", "missing: an object of 30 numbers by name is needed")]
    [InlineData("""{"measurements":{"mean radus":1}}""", "errors", "unknown: the nearest known measurement is 'mean radius'")]
    [InlineData("""{"measurements":{"mean radus":1}}""", "errors", "measurements.worst area")]
    [InlineData("""{"measurements":{"mean radius":"big"}}""", "detail", "$.measurements")]
    [InlineData("{measurements", "detail", "LineNumber: 0")]
    public async Task BadInputIsAProblemThatSaysWhere(string body, string part, string problem)
    {
        using var request = Json(body);
        using var response = await service.Client.PostAsync("/explanations", request);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        var text = JsonNode.Parse(await response.Content.ReadAsStringAsync())![part]!.ToJsonString(Relaxed);
        Assert.Contains(problem, text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(3e38f)]
    [InlineData(-3e38f)]
    public async Task MeasurementsBeyondWhatTheNetworkCountsInAreAProblemThatSaysWhich(float size)
    {
        var measurements = Names.ToDictionary(name => name, name => name == "worst area" ? size : size * 0.9f);
        using var response = await service.Client.PostAsJsonAsync("/explanations", new { measurements });

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        var errors = JsonNode.Parse(await response.Content.ReadAsStringAsync())!["errors"]!.AsObject();
        Assert.Equal("measurements.worst area", Assert.Single(errors).Key);
        Assert.Contains("too large: with ", (string?)errors.Single().Value![0], StringComparison.Ordinal);
        Assert.Equal("Healthy", await service.Client.GetStringAsync("/health"));
    }

    [Fact]
    public async Task IsHealthyAndDescribed()
    {
        Assert.Equal("Healthy", await service.Client.GetStringAsync("/health"));
        var document = (await service.Client.GetFromJsonAsync<JsonNode>("/openapi/v1.json"))!;
        var post = document["paths"]!["/explanations"]!["post"]!;
        Assert.NotNull(post["responses"]!["200"]!["content"]!["application/json"]);
        Assert.NotNull(post["responses"]!["400"]!["content"]!["application/problem+json"]);
        var answer = document["components"]!["schemas"]!["ExplanationAnswer"]!["properties"]!;
        Assert.Equal("number", (string?)answer["logOdds"]!["type"]);
        Assert.NotNull((string?)answer["error"]!["description"]);
    }

    [Fact]
    public void MeasuresItself()
    {
        using var run = new SampleRun("Service", "load", "2");

        Assert.True(SampleRun.Figures(run.Output, "requests per second:")[0] > 0, run.Output);
        var latency = SampleRun.Figures(run.Output, "latency, ms:"); // median; the 99 of 99th; and that percentile
        Assert.True(latency[0] > 0 && latency[^1] >= latency[0], run.Output);
        Assert.Equal(0, SampleRun.Figures(run.Output, "failed:")[0]);
        Assert.True(SampleRun.Figures(run.Output, "largest error:")[0] <= 1e-5, run.Output);
        Assert.Equal(run.Output, File.ReadAllText(Path.Combine(run.Folder, "load.txt")).TrimEnd());
    }

    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private async Task<JsonNode> Ask(float[] row)
    {
        var measurements = Names.Zip(row).ToDictionary(p => p.First, p => p.Second);
        using var response = await service.Client.PostAsJsonAsync("/explanations", new { measurements });
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
    }

    private static StringContent Json(string body) => new(body, Encoding.UTF8, "application/json");

    /// <summary>One row alone and in a batch differ by the order of float32 sums.</summary>
    private static void Near(double expected, JsonNode? actual) => Assert.Equal(expected, (double)actual!, 1e-4 * Math.Max(1, Math.Abs(expected)));
}
