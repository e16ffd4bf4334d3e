namespace MLNetLinearize.Benchmarks.Comparison;

/// <summary>What is asked of a batch.</summary>
internal enum Question
{
    /// <summary>Scores only.</summary>
    Score,

    /// <summary>Attribution of the largest score of each row.</summary>
    Top,

    /// <summary>W of all classes.</summary>
    All,

    /// <summary>All columns of the predicted class through ML.NET, against stock scoring of the same rows.</summary>
    MlNet,
}

/// <summary>One line of the table.</summary>
/// <param name="Network">Name of the network.</param>
/// <param name="Batch">Rows asked about at once.</param>
/// <param name="Question">What is asked.</param>
/// <param name="Goal">Largest wanted ratio of our time to the peer's; null where the line is only reported.</param>
internal sealed record Case(string Network, int Batch, Question Question, double? Goal)
{
    /// <summary>Every case, with the goal that is set for it.</summary>
    public static IReadOnlyList<Case> Everything { get; } =
    [
        .. Of("mlp", (1, 0.22, 0.30), (256, 0.60, 0.55)),
        .. Of("acas", (1, 0.20, 0.30), (1024, 0.75, 0.80)),
        .. Of("encoder", (64, 0.80, 0.85)),
        .. Of("mnist-cnn", (1, 0.55, 0.42), (64, 0.70, 0.75)),
        .. Of("vgg-small", (1, 0.75, 0.62), (16, 1.0, 0.95)),
        .. Of("resnet-20", (1, 0.40, 0.50), (16, 0.70, 0.75)),
        .. Of("resnet-18", (1, 0.70, 0.35)),
        .. Of("autoencoder", (1, null, 0.12), (16, null, 0.15)),
        new("mlp", 4096, Question.MlNet, 1),
        new("acas", 4096, Question.MlNet, 1),
    ];

    public override string ToString() => $"{Network}, batch {Batch}, {Words(Question)}";

    public static string Words(Question question) => question switch
    {
        Question.Score => "score",
        Question.Top => "top-1 attribution",
        Question.All => "W of all classes",
        _ => "through ML.NET",
    };

    private static IEnumerable<Case> Of(string network, params (int Batch, double? Top, double All)[] goals) =>
        goals.SelectMany(g => new Case[] { new(network, g.Batch, Question.Score, null), new(network, g.Batch, Question.Top, g.Top), new(network, g.Batch, Question.All, g.All) });
}
