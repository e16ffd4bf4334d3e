namespace Tabular;

/// <summary>
/// One measurement changed so that the diagnosis should turn, as the weight says; and what the network then says. Inside: the
/// changed case has the same weights, so that both lie in one linear region, and all between them (a region is convex).
/// </summary>
internal sealed record Change(int Measurement, float From, float To, double Predicted, double Actual, bool Inside)
{
    /// <summary>How far beyond the border to go, in log-odds, so that the answer does not hang on rounding.</summary>
    private const double Beyond = 0.05;

    /// <summary>For each measurement the value that turns the diagnosis, where such a value was ever measured; tried on the network.</summary>
    public static Change[] Turning(Explainer explainer, Explained explained, IReadOnlyList<(float Low, float High)> measured)
    {
        var goal = -Math.Sign(explained.LogOdds) * Beyond;
        var tries = explained.Weights
            .Select((w, i) => (Measurement: i, To: (float)Math.Round(explained.Case[i] + (goal - explained.LogOdds) / w, 4), Weight: w))
            .Where(t => t.To >= measured[t.Measurement].Low && t.To <= measured[t.Measurement].High)
            .ToArray();
        var after = explainer.PerUnit([.. tries.Select(t => explained.Case.With(t.Measurement, t.To))]);
        return [.. tries.Zip(after, (t, a) => new Change(t.Measurement, explained.Case[t.Measurement], t.To,
            explained.LogOdds + (double)t.Weight * (t.To - explained.Case[t.Measurement]), a.LogOdds, a.Weights.SequenceEqual(explained.Weights)))];
    }
}
