namespace MLNetLinearize.Tests.Oracle;

/// <summary>What a tensor is as a factor of a product.</summary>
internal enum Role
{
    None,

    /// <summary>A mean or sum over axes: its root is a normaliser's statistic.</summary>
    Statistic,

    /// <summary>What weighs another factor: a softmax, a squashing function, a normaliser's statistic.</summary>
    Gate,
}

/// <summary>How smooth operators are read while a model is evaluated. Ambient, so that operators stay formulas.</summary>
internal static class Reading
{
    [ThreadStatic]
    private static bool frozen;

    public static bool IsFrozen => frozen;

    public static T Frozen<T>(Func<T> evaluate) => As(true, evaluate);

    /// <summary>For what is not pointwise, and for what the frozen reading leaves to the tangent.</summary>
    public static T Tangent<T>(Func<T> evaluate) => As(false, evaluate);

    private static T As<T>(bool value, Func<T> evaluate)
    {
        var before = frozen;
        frozen = value;
        try
        {
            return evaluate();
        }
        finally
        {
            frozen = before;
        }
    }
}
