using MLNetLinearize.Cli;

namespace MLNetLinearize.Tests.Cli;

public class ExitCodeTests
{
    [Fact]
    public void A_call_that_is_wrong_in_itself_is_the_tool_s_defect()
    {
        Assert.Equal(ExitCodes.Unexpected, ExitCodes.Of(Assert.ThrowsAny<ArgumentException>(() => "".PadRight(-4))));
        Assert.Equal(ExitCodes.Unexpected, ExitCodes.Of(Assert.ThrowsAny<ArgumentException>(() => Path.GetFullPath(null!))));
        Assert.Equal(ExitCodes.Unexpected, ExitCodes.Of(new NullReferenceException()));
    }

    [Fact]
    public void What_the_arguments_are_to_blame_for_is_not()
    {
        foreach (var failure in new Exception[] { new InputException(""), new ArgumentException(), new InvalidModelException(""), new IOException(), new FileNotFoundException(), new UnauthorizedAccessException() })
            Assert.Equal(ExitCodes.BadInput, ExitCodes.Of(failure));
        Assert.Equal(ExitCodes.ModelRefused, ExitCodes.Of(new ModelRefusedException("")));
        Assert.Equal(ExitCodes.Stopped, ExitCodes.Of(new TaskCanceledException()));
    }
}
