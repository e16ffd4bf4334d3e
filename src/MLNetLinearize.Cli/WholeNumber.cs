using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace MLNetLinearize.Cli;

/// <summary>Options that take a whole number. The library's own messages name .NET types, and say nothing of the range.</summary>
internal static class WholeNumber
{
    public static Option<int?> Between(this Option<int?> option, int least, int most = int.MaxValue)
    {
        option.CustomParser = result => (int?)Parse(result, option.Name, least, most);
        return option;
    }

    public static Option<long?> Between(this Option<long?> option, long least, long most = long.MaxValue)
    {
        option.CustomParser = result => Parse(result, option.Name, least, most);
        return option;
    }

    private static long? Parse(ArgumentResult result, string option, long least, long most)
    {
        var text = result.Tokens[0].Value;
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most) return value;
        var range = most is int.MaxValue or long.MaxValue ? $"{least} or more" : $"{least} to {most}";
        result.AddError($"{option}: expected a whole number of {range}, but got '{text}'.");
        return null;
    }
}
