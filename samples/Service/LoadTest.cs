using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using Samples.Shared;

namespace Service;

/// <summary>Clients that ask one after the other, on loopback, and what they saw.</summary>
internal static class LoadTest
{
    private const int Clients = 8, WarmUp = 200;

    /// <returns>What to print: requests per second, latencies, failures and the largest error of an explanation.</returns>
    public static async Task<string> Run(string url, TimeSpan duration)
    {
        var requests = Cases();
        using var http = new HttpClient { BaseAddress = new Uri(url) };
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(c => Ask(http, requests, c, count => count < WarmUp / Clients)));

        var clock = Stopwatch.StartNew();
        var answers = await Task.WhenAll(Enumerable.Range(0, Clients).Select(c => Ask(http, requests, c, _ => clock.Elapsed < duration)));
        var elapsed = clock.Elapsed;
        var latencies = answers.SelectMany(a => a.Latencies).Order().ToArray();
        return $"""
            {latencies.Length:N0} requests by {Clients} clients in {elapsed.TotalSeconds:0.0} s, {Environment.ProcessorCount} processors for both sides
            requests per second: {latencies.Length / elapsed.TotalSeconds:N0}
            latency, ms:         median {Quantile(latencies, 0.5):0.00}, 99th percentile {Quantile(latencies, 0.99):0.00}
            failed:              {answers.Sum(a => a.Failed)}
            largest error:       {answers.Max(a => a.Error):0.0e+0} of |log-odds − (bias + contributions)|
            """;
    }

    private static async Task<(List<double> Latencies, int Failed, double Error)> Ask(HttpClient http, ExplanationRequest[] requests, int client, Func<int, bool> goOn)
    {
        var (latencies, failed, error) = (new List<double>(), 0, 0.0);
        while (goOn(latencies.Count))
        {
            var start = Stopwatch.GetTimestamp();
            using var response = await http.PostAsJsonAsync("/explanations", requests[(client + latencies.Count * Clients) % requests.Length]);
            var answer = response.IsSuccessStatusCode ? await response.Content.ReadFromJsonAsync<ExplanationAnswer>() : null;
            latencies.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            if (answer is null) failed++;
            else error = Math.Max(error, answer.Error);
        }
        return (latencies, failed, error);
    }

    private static ExplanationRequest[] Cases()
    {
        var lines = File.ReadAllLines(Path.Combine(SampleData.Folder, "data/breast-cancer/breast-cancer.csv"));
        var names = lines[0].Split(',');
        return [.. lines.Skip(1).Select(line => line.Split(',')).Select(cells =>
            new ExplanationRequest(names.Skip(1).Zip(cells.Skip(1)).ToDictionary(p => p.First, p => float.Parse(p.Second, CultureInfo.InvariantCulture))))];
    }

    private static double Quantile(double[] sorted, double q) => sorted[(int)Math.Ceiling(q * sorted.Length) - 1];
}
