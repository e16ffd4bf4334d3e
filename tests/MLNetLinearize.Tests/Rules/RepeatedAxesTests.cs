namespace MLNetLinearize.Tests.Rules;

/// <summary>An axis that a reduction names twice, from either end, is reduced once.</summary>
public class RepeatedAxesTests
{
    [Theory]
    [InlineData("ReduceMean")]
    [InlineData("ReduceSum")]
    [InlineData("ReduceMax")]
    [InlineData("ReduceL2")]
    [InlineData("ReduceLogSumExp")]
    public void The_map_gives_the_score(string op)
    {
        foreach (long[] axes in (long[][])[[2, 2], [2, -1]])
        {
            var net = new Net(12, 1);
            var model = net.Build(net.Op(op, [net.Input("x", "N", 3, 4)], ("axes", axes)));
            using var linearizer = new Linearizer(LinearizationGraph.Compile(CaseRun.Stream(model), new() { Targets = Targets.All }));
            var map = linearizer.Explain([.. Enumerable.Range(0, 12).Select(i => MathF.Sin(5 * i))]);
            Assert.All(map.Error, e => Assert.InRange(e, 0, 1e-5));
        }
    }
}
