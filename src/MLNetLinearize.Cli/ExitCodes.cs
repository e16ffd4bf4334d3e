namespace MLNetLinearize.Cli;

/// <summary>What scripts see.</summary>
internal static class ExitCodes
{
    public const int Success = 0;

    /// <summary>Wrong arguments, or data or a file that cannot be used.</summary>
    public const int BadInput = 1;

    /// <summary>The model holds operators that cannot be linearized.</summary>
    public const int ModelRefused = 2;

    /// <summary>The sums were less exact than the tolerance.</summary>
    public const int CheckFailed = 3;

    /// <summary>Stopped by the user, as shells report it.</summary>
    public const int Stopped = 130;
}
