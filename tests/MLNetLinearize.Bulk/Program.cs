using System.CommandLine;
using MLNetLinearize.Bulk;

var samples = new Option<DirectoryInfo>("--samples") { Description = "The repository's folder of samples.", DefaultValueFactory = _ => new("samples") };
var rows = new Option<int>("--rows") { Description = "Rows of the long pass.", DefaultValueFactory = _ => 1_000_000 };
var compared = new Option<int>("--compared") { Description = "Rows of each pass of the comparison.", DefaultValueFactory = _ => 10_000 };
var seconds = new Option<int>("--soak") { Description = "Seconds of the soak.", DefaultValueFactory = _ => 600 };
var output = new Option<FileInfo?>("--out") { Description = "File for the figures. Default: the screen alone." };
var command = new RootCommand("Explains a million rows, beside ML.NET's own ONNX stage, and under load.") { samples, rows, compared, seconds, output };
command.SetAction(result =>
{
    using var report = new Report(result.GetValue(output));
    return BulkRun.Run(new(result.GetValue(samples)!.FullName, result.GetValue(rows), result.GetValue(compared), result.GetValue(seconds)), report) ? 0 : 1;
});
return await command.Parse(args).InvokeAsync();
