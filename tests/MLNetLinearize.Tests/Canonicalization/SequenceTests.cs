using MLNetLinearize.Tests.Rules;
using static MLNetLinearize.Tests.Canonicalization.ControlFlowTests;

namespace MLNetLinearize.Tests.Canonicalization;

/// <summary>Sequences of tensors: their map is that of the network written out by hand without them; what the row makes uneven is refused in words.</summary>
public class SequenceTests
{
    [Fact]
    public void Sequences_fold_to_what_is_taken_out_of_them()
    {
        var net = new Net(17, 8);
        var x = net.Input("x", "N", 4);
        var parts = net.Op("SplitToSequence", [x, net.Ints(1, 2, 1)], ("axis", 1L));
        var second = net.Op("SequenceAt", [parts, net.Ints([-2], [])]);
        var built = net.Op("SequenceInsert", [net.Op("SequenceConstruct", [second, x]), net.Op("Relu", [x]), net.Ints([1], [])]);
        var shorter = net.Op("SequenceErase", [built, net.Ints([0], [])]);
        var stacked = net.Op("ConcatFromSequence", [shorter], ("axis", 1L), ("new_axis", 1L));
        var length = net.Op("Cast", [net.Op("SequenceLength", [built])], ("to", 1L));
        var optional = net.Op("OptionalGetElement", [net.Op("Optional", [second])]);
        var single = net.Op("SequenceAt", [net.Op("SplitToSequence", [x], ("axis", 1L), ("keepdims", 0L)), net.Ints([3], [])]);
        var last = net.Op("Unsqueeze", [single, net.Ints(1)]);
        var empty = net.Op("ConcatFromSequence", [net.Op("SequenceInsert", [net.Op("SequenceEmpty", []), optional])], ("axis", 1L));
        var model = net.Build(net.Op("Concat", [net.Op("Mul", [net.Op("Flatten", [stacked]), length]), empty, last], ("axis", 1L)));
        AssertSame((n, input) =>
        {
            var both = n.Op("Concat", [n.Op("Relu", [input]), input], ("axis", 1L));
            string Slice(long from, long to) => n.Op("Slice", [input, n.Ints(from), n.Ints(to), n.Ints(1)]);
            return n.Op("Concat", [n.Op("Mul", [both, n.Scalar(3)]), Slice(1, 3), Slice(3, 4)], ("axis", 1L));
        }, model, seed: 8);
    }

    /// <summary>The largest element of the row, the third, tells the position, also counted from the end; what is put in there, or taken away, moves the others.</summary>
    [Theory]
    [InlineData("SequenceAt", 0)]
    [InlineData("SequenceAt", -4)]
    [InlineData("SequenceInsert", 0)]
    [InlineData("SequenceInsert", -4)]
    [InlineData("SequenceErase", 0)]
    [InlineData("SequenceErase", -4)]
    public void A_position_that_the_row_computes_picks_among_members_of_one_shape(string op, long shift)
    {
        var net = new Net(17, 8);
        var x = net.Input("x", 1, 4);
        var parts = net.Op("SplitToSequence", [net.Op("Abs", [x])], ("axis", 1L));
        var position = net.Op("Add", [net.Op("Squeeze", [net.Op("ArgMax", [x], ("axis", 1L))]), net.Ints([shift], [])]);
        var first = net.Op("Slice", [x, net.Ints(0), net.Ints(1), net.Ints(1)]);
        var changed = op == "SequenceInsert" ? net.Op(op, [parts, first, position]) : net.Op(op, [parts, position]);
        var model = net.Build(op == "SequenceAt" ? net.Op("Mul", [changed, x]) : net.Op("ConcatFromSequence", [changed], ("axis", 1L)));
        AssertSame((n, input) =>
        {
            string Slice(string of, long from, long to) => n.Op("Slice", [of, n.Ints(from), n.Ints(to), n.Ints(1)]);
            var sizes = n.Op("Abs", [input]);
            return op switch
            {
                "SequenceAt" => n.Op("Mul", [Slice(sizes, 2, 3), input]),
                "SequenceInsert" => n.Op("Concat", [Slice(sizes, 0, 2), Slice(input, 0, 1), Slice(sizes, 2, 4)], ("axis", 1L)),
                _ => n.Op("Concat", [Slice(sizes, 0, 2), Slice(sizes, 3, 4)], ("axis", 1L)),
            };
        }, model, seed: 8, inBatches: false);
    }

    [Fact]
    public void A_position_that_the_row_computes_among_members_of_several_shapes_is_refused_in_words()
    {
        var net = new Net(17, 8);
        var x = net.Input("x", 1, 4);
        var parts = net.Op("SplitToSequence", [x, net.Ints(1, 3)], ("axis", 1L));
        var position = net.Op("Cast", [net.Op("Greater", [net.Op("ReduceSum", [x], ("keepdims", 0L)), net.Scalar(0)])], ("to", 7L));
        var refused = Assert.Single(Refused(net.Build(net.Op("ReduceSum", [net.Op("SequenceAt", [parts, net.Op("Squeeze", [position])])]))), n => n.Operator == "SequenceAt");
        Assert.Contains("differ in shape ([1, 1], [1, 3])", refused.Reason, StringComparison.Ordinal);
    }
}
