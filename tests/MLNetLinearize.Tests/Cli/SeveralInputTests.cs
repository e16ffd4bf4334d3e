using MLNetLinearize.Onnx;
using MLNetLinearize.Tests.Rules;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Tests.Cli;

/// <summary>Networks of several inputs, fed from the columns of a table by name. The network is that of <see cref="TinyModels.WriteMixed"/>.</summary>
public class SeveralInputTests
{
    private const string Table = "ids[1],z,x[0],note,x[1],ids[0]\n0,4,1,a,2,2\n1,0,0.5,b,-1,1\n";

    private static readonly string[] Ignored = ["--ignore-column", "note"];

    public static TheoryData<long, bool, bool> Spellings => new()
    {
        { 17, false, false },
        { 17, true, false },
        { 12, false, true },
    };

    [Theory]
    [MemberData(nameof(Spellings))]
    public void Each_input_is_explained_by_its_own_columns(long opset, bool isFixedAtOne, bool isInt32)
    {
        using var folder = new TemporaryFolder();
        var run = CliRun.Of(["explain", TinyModels.WriteMixed(folder, opset, isFixedAtOne ? 1L : "N", isInt32 ? DataType.Int32 : DataType.Int64), folder.Write("rows.csv", Table), .. Ignored, "--out", folder.File("out.csv"), "--quiet"]);
        Assert.Equal((0, ""), (run.Code, run.Error));
        // 2·1 − 3·2 + 5·4 = 16, and the table gives 300 + 10·100; 2·0.5 + 3·1 = 4, and 200 + 10·200.
        Assert.Equal(
            "Row,ExplainedTarget,ExplainedScore,Bias,LinearizationError,Attribution.x[0],Attribution.x[1],Attribution.z,Attribution.ids[0],Attribution.ids[1]\n" +
            "0,0,1316,1300,0,2,-6,20,0,0\n1,0,2204,2200,0,1,3,0,0,0\n", Text(folder, "out.csv"));
    }

    [Theory]
    [MemberData(nameof(Spellings))]
    public void Scores_are_those_of_the_file_itself(long opset, bool isFixedAtOne, bool isInt32)
    {
        using var folder = new TemporaryFolder();
        var run = CliRun.Of(["verify", TinyModels.WriteMixed(folder, opset, isFixedAtOne ? 1L : "N", isInt32 ? DataType.Int32 : DataType.Int64), folder.Write("rows.csv", Table), .. Ignored, "--tolerance", "0", "--quiet"]);
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Contains("the model's own score", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void One_of_them_can_be_explained_by_alone()
    {
        using var folder = new TemporaryFolder();
        var run = CliRun.Of(["explain", TinyModels.WriteMixed(folder), folder.Write("rows.csv", Table), .. Ignored, "--from", "z", "--out", folder.File("out.csv"), "--quiet"]);
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Equal("Row,ExplainedTarget,ExplainedScore,Bias,LinearizationError,Attribution.[0]\n0,0,1316,1296,0,20\n1,0,2204,2204,0,0\n", Text(folder, "out.csv"));
    }

    [Fact]
    public void What_a_run_wrote_is_a_table_to_read_lists_from()
    {
        using var folder = new TemporaryFolder();
        // Of a plain sum the list column 'Attribution' is the row itself; beside it is a column 'Row' of numbers.
        var net = new Net(17, 1);
        OnnxFile.Write(net.Build(net.Op("ReduceSum", [net.Input("v", "N", 2), net.Ints(1)], ("keepdims", 1)), "N", 1), folder.File("sum.onnx"));
        Assert.Equal(0, CliRun.Of("explain", folder.File("sum.onnx"), folder.Write("v.csv", "a,b\n1,2\n3,4\n"), "--columns", "attribution", "--out", folder.File("lists.parquet"), "--quiet").Code);
        var two = new Net(17, 1);
        var sum = two.Op("MatMul", [two.Input("Attribution", "N", 2), two.Floats([10f, 100], 2, 1)]);
        OnnxFile.Write(two.Build(two.Op("Add", [two.Input("Row", "N", 1), sum]), "N", 1), folder.File("two.onnx"));
        var run = CliRun.Of("explain", folder.File("two.onnx"), folder.File("lists.parquet"), "--out", folder.File("out.csv"), "--columns", "attribution", "--quiet");
        Assert.Equal((0, ""), (run.Code, run.Error));
        var lines = Text(folder, "out.csv").Split('\n');
        Assert.Equal(["Row,Attribution.Attribution[0],Attribution.Attribution[1],Attribution.Row", "0,10,200,0", "1,30,400,1", ""], lines);
    }

    [Fact]
    public void Reports_layers_judgements_and_resuming_take_them_as_well()
    {
        using var folder = new TemporaryFolder();
        var (model, rows) = (TinyModels.WriteMixed(folder), folder.Write("rows.csv", Table));
        foreach (var arguments in new string[][]
        {
            ["explain", model, rows, "--report", folder.File("report.html")],
            ["explain", model, rows, "--every-layer"],
            ["explain", model, rows, "--resume", "--out", folder.File("resumed.csv")],
            ["evaluate", model, rows],
        })
        {
            var run = CliRun.Of([.. arguments, .. Ignored, "--quiet"]);
            Assert.Equal((0, ""), (run.Code, run.Error));
        }
        Assert.Contains("x[1]", Text(folder, "report.html"), StringComparison.Ordinal);
    }

    [Fact]
    public void Inspect_and_export_keep_the_inputs_apart()
    {
        using var folder = new TemporaryFolder();
        var model = TinyModels.WriteMixed(folder);
        foreach (var arguments in new string[][] { ["inspect", model], ["export", model, folder.File("graph.onnx")] })
        {
            var run = CliRun.Of(arguments);
            Assert.Equal((0, ""), (run.Code, run.Error));
            Assert.Contains("ids", run.Out, StringComparison.Ordinal);
        }
        Assert.Equal(["x", "z", "ids"], OnnxFile.Read(folder.File("graph.onnx")).Graph.Input.Select(i => i.Name));
    }

    [Theory]
    [InlineData("z,x[0],ids[0],ids[1]\n4,1,2,0\n", "lacks the column x[1]. The network takes 'x' [2], 'z' [1], 'ids' [2]: expected the columns x[0] … x[1], z, ids[0] … ids[1], in any order.")]
    [InlineData("z,x[0],x[1],ids[0],ids[1],w\n4,1,1,2,0,7\n", "has the column w, which no input is fed from.")]
    [InlineData("z,z,x[0],x[1],ids[0],ids[1]\n4,4,1,1,2,0\n", "has 2 columns of the name 'z'.")]
    [InlineData("z,x[0],x[1],ids[0],ids[1]\n4,1,1,2,0\n4,1,1,0.5,0\n", "line 3, column 'ids[0]': expected a whole number that Int64 holds, of at most 16,777,216 in size, as the network's input 'ids' takes, but got 0.5.")]
    [InlineData("z,x[0],x[1],ids[0],ids[1]\n4,1,1,2,16777218\n", "column 'ids[1]': expected a whole number that Int64 holds, of at most 16,777,216 in size")]
    [InlineData("z,x[0],x[1],ids[0],ids[1]\n4,1,nan,2,0\n", "column 'x[1]': expected a number, but there is none")]
    public void A_table_that_does_not_fit_is_refused(string table, string message)
    {
        using var folder = new TemporaryFolder();
        var run = CliRun.Of("explain", TinyModels.WriteMixed(folder), folder.Write("rows.csv", table));
        Assert.Equal(1, run.Code);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void What_has_no_named_columns_or_would_change_whole_numbers_is_refused()
    {
        using var folder = new TemporaryFolder();
        var model = TinyModels.WriteMixed(folder);
        var scaled = CliRun.Of("explain", model, folder.Write("rows.csv", Table), "--scale", "1/255");
        Assert.Equal(1, scaled.Code);
        Assert.Contains("the network's input 'ids' takes Int64 values as they are", scaled.Error, StringComparison.Ordinal);
        var image = CliRun.Of("explain", model, Directory.CreateDirectory(folder.File("images")).FullName);
        Assert.Equal(1, image.Code);
        Assert.Contains("is no table, and the network takes several inputs", image.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Columns_of_texts_feed_inputs_of_texts()
    {
        using var folder = new TemporaryFolder();
        var (model, table) = (TinyModels.WriteCity(folder), folder.Write("city.csv", "City,x\nRome,1\nOslo,2\n"));
        var run = CliRun.Of("explain", model, table, "--columns", "score,bias,attribution", "--quiet", "--out", folder.File("out.csv"));
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Equal("Row,ExplainedScore,Bias,Attribution.x\n0,4,1,3\n1,13,7,6\n", Text(folder, "out.csv"));
        Assert.Equal(0, CliRun.Of("verify", model, table, "--quiet").Code);
        Assert.Equal(0, CliRun.Of("explain", model, table, "--quiet", "--report", folder.File("report.html")).Code);
        Assert.Equal(0, CliRun.Of("evaluate", model, table, "--quiet").Code);
        var missing = CliRun.Of("explain", model, folder.Write("x.csv", "x\n1\n"));
        Assert.Contains("text column 'City'", missing.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Several_tensors_explain_together()
    {
        using var folder = new TemporaryFolder();
        var net = new Net(17, 1);
        net.Input("wide", "N", 2);
        net.Input("id", DataType.Int64, "N", 1);
        var embedded = net.Op("Squeeze", [net.Op("Gather", [net.Floats([1, 2, 3, 4, 5, 6], 3, 2), "id"]), net.Ints(1)]);
        var y = net.Op("Gemm", [net.Op("Concat", ["wide", embedded], ("axis", 1L)), net.Floats([10, 20, 30, 40], 4, 1)]);
        OnnxFile.Write(net.Build(y, "N", 1), folder.File("wide.onnx"));
        string[] arguments = ["explain", folder.File("wide.onnx"), folder.Write("rows.csv", "wide[0],wide[1],id\n1,2,1\n3,4,2\n"), "--from", "wide", "--from", embedded, "--quiet"];
        var run = CliRun.Of([.. arguments, "--columns", "score,attribution,bias", "--out", folder.File("out.csv")]);
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Equal($"Row,ExplainedScore,Bias,Attribution.wide[0],Attribution.wide[1],Attribution.{embedded}[0],Attribution.{embedded}[1]\n0,300,0,10,40,90,160\n1,500,0,30,80,150,240\n", Text(folder, "out.csv"));
        Assert.Equal(0, CliRun.Of(["verify", .. arguments.Skip(1)]).Code);
        var twice = CliRun.Of([.. arguments, "--from", "id"]);
        Assert.Contains("its input 1 'id' depends on what is explained", twice.Error, StringComparison.Ordinal);
    }

    private static string Text(TemporaryFolder folder, string name) => File.ReadAllText(folder.File(name)).ReplaceLineEndings("\n");
}
