using MLNetLinearize.Onnx;
using MLNetLinearize.Runtime;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Linearization;

/// <summary>The label column in the saved graph: from the column's own values to the class, or −1 where they name none.</summary>
/// <param name="Column">Its name.</param>
/// <param name="ElementType">Type of its values; for keys that of the raw value.</param>
/// <param name="KeyTable">Class by raw key value, for keys.</param>
/// <param name="Classes">Class by name, for text.</param>
/// <param name="Outputs">Number of outputs of the network.</param>
internal sealed record SavedLabel(string Column, Type ElementType, long[]? KeyTable, IReadOnlyList<(string Name, long Index)>? Classes, int Outputs)
{
    private const long NoClass = -1;

    /// <summary>The operator set that the mapping needs: texts are compared from version 19 on.</summary>
    public long Opset => ElementType == typeof(string) ? 19 : 18;

    /// <summary>Declares the column as an input <c>[1, 1]</c>, as a scalar arrives, and gives the class as <paramref name="output"/>.</summary>
    public void AddTo(FinishNodes finish, string output)
    {
        finish.Input(Column, OrtArrays.TypeOf(ElementType), 1, 1);
        var (valid, value) = KeyTable is not null ? Key(finish, KeyTable)
            : ElementType == typeof(string) ? Text(finish)
            : ElementType == typeof(float) || ElementType == typeof(double) ? Whole(finish)
            : Integer(finish);
        finish.Add("Where", [valid, value, finish.Constant([NoClass])], output);
    }

    private (string Valid, string Value) Integer(FinishNodes finish)
    {
        var number = Int64(finish, Column);
        return (InRange(finish, number, finish.Constant([0L]), finish.Constant([(long)Outputs])), number);
    }

    private static string InRange(FinishNodes finish, string number, string from, string to) =>
        finish.Add("And", [finish.Add("GreaterOrEqual", [number, from]), finish.Add("Less", [number, to])]);

    private (string, string) Key(FinishNodes finish, long[] table)
    {
        var key = Int64(finish, Column);
        var known = finish.Add("Less", [key, finish.Constant([(long)table.Length])]);
        var row = finish.Add("Where", [known, key, finish.Constant([0L])]);
        return (known, finish.Add("Gather", [finish.Constant(table), row]));
    }

    private (string, string) Whole(FinishNodes finish)
    {
        string Number(double value) => finish.Constant(ElementType == typeof(float) ? Tensors.Of("", [(float)value], 1) : Tensors.Of("", [value], 1));
        var inRange = InRange(finish, Column, Number(0), Number(Outputs));
        var valid = finish.Add("And", [inRange, finish.Add("Equal", [Column, finish.Add("Floor", [Column])])]);
        return (valid, Int64(finish, finish.Add("Where", [valid, Column, Number(NoClass)])));
    }

    private (string, string) Text(FinishNodes finish)
    {
        var names = Classes!.Select(c => c.Name).ToList();
        var same = Int64(finish, finish.Add("Equal", [Column, finish.Constant(Tensors.OfStrings("", names, 1, names.Count))]));
        var position = finish.Add("ArgMax", [same], ("axis", 1), ("keepdims", 1));
        var found = finish.Add("Cast", [finish.Add("ReduceMax", [same, finish.Constant([1L])], ("keepdims", 1))], ("to", (int)DataType.Bool));
        return (found, finish.Add("Gather", [finish.Constant([.. Classes!.Select(c => c.Index)]), position]));
    }

    private static string Int64(FinishNodes finish, string value) => finish.Add("Cast", [value], ("to", (int)DataType.Int64));
}
