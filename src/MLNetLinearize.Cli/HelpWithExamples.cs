using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace MLNetLinearize.Cli;

/// <summary>The library's help, then examples that can be typed as they stand.</summary>
internal sealed class HelpWithExamples(HelpAction help) : SynchronousCommandLineAction
{
    private static readonly Dictionary<string, string> Examples = new()
    {
        ["mlnet-linearize"] = """
            Examples:
              Can this network be explained, and at what cost?
                mlnet-linearize inspect digits-cnn.onnx
              Explain each row of a table; columns to a file:
                mlnet-linearize explain digits-cnn.onnx digits.csv --label-column label --scale 1/16 --out columns.csv
              See which pixels decided:
                mlnet-linearize explain fashion-cnn.onnx images-idx3-ubyte.gz --labels labels-idx1-ubyte.gz --scale 1/255 --picture sheet.png

            Exit codes:
              0 success, 1 wrong use or input, 2 model refused: it cannot be linearized, 3 check failed, 4 defect of the tool
            """,
        ["inspect"] = """
            Examples:
              mlnet-linearize inspect digits-cnn.onnx
              mlnet-linearize inspect segmenter.onnx --input-shape image=1,3,224,224
              mlnet-linearize inspect digits-cnn.onnx --tensors
            """,
        ["explain"] = """
            Examples:
              Why did the network say what it said? Table, summary, columns, picture:
                mlnet-linearize explain fashion-cnn.onnx images-idx3-ubyte.gz --labels labels-idx1-ubyte.gz --class-names labels.txt --scale 1/255 --out columns.csv --picture sheet.png
              The same as a report to read in a browser:
                mlnet-linearize explain fashion-cnn.onnx images-idx3-ubyte.gz --labels labels-idx1-ubyte.gz --class-names labels.txt --scale 1/255 --report report.html
              Why a shirt rather than a coat?
                mlnet-linearize explain fashion-cnn.onnx images-idx3-ubyte.gz --class-names labels.txt --scale 1/255 --targets contrast:Shirt,Coat
              How does the score come about inside, layer by layer?
                mlnet-linearize explain digits-cnn.onnx digits.csv --label-column label --scale 1/16 --every-layer --layer-rows 0,17 --picture layers.png
              From one inner tensor to another (inspect --tensors lists them):
                mlnet-linearize explain digits-cnn.onnx digits.csv --label-column label --scale 1/16 --from /1/Relu_output_0 --to /7/MaxPool_output_0
              The whole map of the first ten rows of a table, every output:
                mlnet-linearize explain digits-cnn.onnx digits.csv --label-column label --scale 1/16 --rows 10 --targets all --columns bias,weights --out maps.csv
            """,
        ["verify"] = """
            Examples:
              mlnet-linearize verify digits-cnn.onnx digits.csv --label-column label --scale 1/16
              mlnet-linearize verify digits-cnn.onnx digits.csv --label-column label --scale 1/16 --targets all --tolerance 1e-6
            """,
        ["export"] = """
            Examples:
              mlnet-linearize export digits-cnn.onnx digits-cnn.linearized.onnx
              mlnet-linearize export digits-cnn.onnx all.onnx --targets all

            In Python:
              outputs = onnxruntime.InferenceSession("digits-cnn.linearized.onnx").run(["Attribution", "Bias"], {"pixels": rows})
            """,
    };

    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        help.MaxWidth = 120;
        var code = help.Invoke(parseResult);
        var command = parseResult.CommandResult.Command;
        parseResult.InvocationConfiguration.Output.WriteLine(Examples[command is RootCommand ? "mlnet-linearize" : command.Name]);
        return code;
    }
}
