using Google.Protobuf;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetLinearize.Reporting;
using MLNetLinearize.Tests.Rules;
using MLNetLinearize.Transforms;

namespace MLNetLinearize.Tests.Transforms;

/// <summary>What a new user meets is named in the words that the user knows.</summary>
public class MessageTests
{
    [Fact]
    public void The_option_that_names_a_label_is_the_one_that_was_set()
    {
        var ml = new MLContext(1);
        var view = Rows.View(ml, 3);
        using var transformer = new LinearizingEstimator(new HandMadeGraph(2).Graph).Fit(view);
        var error = Assert.Throws<ArgumentException>(() => LinearizationReport.Write(new MemoryStream(), transformer, view, new() { LabelColumn = "Klass" }));
        Assert.Contains("Column 'Klass' of ReportOptions.LabelColumn is missing", error.Message, StringComparison.Ordinal);
        var target = Assert.Throws<ArgumentException>(() => new LinearizingEstimator(new HandMadeGraph(2, new() { Targets = Targets.FromColumn("Klass") }).Graph).Fit(view));
        Assert.Contains("Column 'Klass' of Targets.FromColumn is missing", target.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Types_are_named_as_people_know_them()
    {
        var ml = new MLContext(1);
        var view = Rows.View(ml, 2);
        using var transformer = new LinearizingEstimator(new HandMadeGraph(2).Graph).Fit(view);
        var explained = transformer.Transform(view);
        using var cursor = explained.GetRowCursor([explained.Schema["ExplainedScore"]]);
        var error = Assert.Throws<InvalidOperationException>(() => cursor.GetGetter<ReadOnlyMemory<char>>(cursor.Schema["ExplainedScore"]));
        Assert.Contains("but a getter of text was asked for", error.Message, StringComparison.Ordinal);
        Assert.Equal("VBuffer of Single", TypeNames.Of(typeof(VBuffer<float>)));
    }

    [Fact]
    public void Records_list_what_they_hold()
    {
        Assert.Contains("RowShape = [4]", new HandMadeGraph(2).Graph.Inputs[0].ToString(), StringComparison.Ordinal);
        Assert.Contains("ClassNames = [a, b]", new LinearizeOptions { ClassNames = ["a", "b"] }.ToString(), StringComparison.Ordinal);
        Assert.Contains("ClassNames = [0, 1, 2, 3, 4, 5, 6, 7, … (20)]", new LinearizeOptions { ClassNames = [.. Enumerable.Range(0, 20).Select(i => $"{i}")] }.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("z__", new ReportOptions { FeatureNames = [.. new[] { "a" }.Where(_ => true)] }.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Model_files_are_named_by_the_callers_parameter()
    {
        var ml = new MLContext(1);
        Assert.Equal("modelFile", Assert.Throws<ArgumentException>(() => ml.Transforms.Linearize("")).ParamName);
        Assert.Equal("model", Assert.Throws<ArgumentNullException>(() => ml.Transforms.Linearize((Stream)null!)).ParamName);
        var folder = Assert.Throws<FileNotFoundException>(() => LinearizationGraph.Compile(Path.GetTempPath()));
        Assert.Contains("is a folder. Name the file in it", folder.Message, StringComparison.Ordinal);
    }

    /// <summary>Trees are constant between their thresholds; a user who sees zeros must have been told why.</summary>
    [Fact]
    public void Fit_tells_what_is_worth_knowing_to_the_log()
    {
        var ml = new MLContext(1);
        var told = new List<string>();
        ml.Log += (_, e) => told.Add(e.Message);
        var net = new Net(17, 1);
        var model = net.Build(net.Op("Softmax", [net.Op("Gemm", [net.Op("Floor", [net.Input("x", "N", 4)]), net.Weights(4, 2), net.Weights(2)])]), "N", 2L);
        LinearizeOptions options = new() { Log = ml };
        using var fitted = new LinearizingEstimator(LinearizationGraph.Compile(new MemoryStream(model.ToByteArray()), options)).Fit(Rows.View(ml, 2));
        Assert.Contains(told, line => line.Contains("only through operators of slope 0 (Floor", StringComparison.Ordinal));
        Assert.Contains(told, line => line.Contains("The final Softmax is cut", StringComparison.Ordinal));
    }

    /// <summary>Names of columns that Linearize would append are of no matter to who appends none.</summary>
    [Fact]
    public void Data_that_Summarize_takes_are_taken_by_Evaluate_and_by_reports()
    {
        var ml = new MLContext(1);
        using var transformer = new LinearizingEstimator(new HandMadeGraph(3).Graph).Fit(Rows.View(ml, 5));
        var explained = transformer.Transform(Rows.View(ml, 5));
        Assert.Equal(5, transformer.Summarize(explained).Rows);
        Assert.Equal(5, transformer.Evaluate(explained).Rows);
        using var page = new MemoryStream();
        LinearizationReport.Write(page, transformer, explained);
        Assert.Contains("5", System.Text.Encoding.UTF8.GetString(page.ToArray()), StringComparison.Ordinal);
    }
}
