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
                mlnet-linearize explain digits-cnn.onnx digits.csv --label-column label --scale 1/16 --out columns.parquet
              See which pixels decided:
                mlnet-linearize explain fashion-cnn.onnx images-idx3-ubyte.gz --labels labels-idx1-ubyte.gz --scale 1/255 --picture sheet.png
              Complete commands and options in this shell from now on:
                source <(mlnet-linearize completion bash)

            Streams:
              Results go to standard output, progress, timings and errors to standard error. DATA and --out take - for a stream.

            Exit codes:
              0 success, 1 wrong use or input, 2 model refused: it cannot be linearized, 3 check failed, 4 defect of the tool,
              130 stopped, 141 the reader of --out - went away before its end, as head does
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
              With a section on how faithful the explanations are, judged on the first 100 rows:
                mlnet-linearize explain digits-cnn.onnx digits.csv --label-column label --scale 1/16 --report report.html --evaluate 100
              Why a shirt rather than a coat?
                mlnet-linearize explain fashion-cnn.onnx images-idx3-ubyte.gz --class-names labels.txt --scale 1/255 --targets contrast:Shirt,Coat
              How does the score come about inside, layer by layer?
                mlnet-linearize explain digits-cnn.onnx digits.csv --label-column label --scale 1/16 --every-layer --layer-rows 0,17 --picture layers.png --layer-out layers.csv
              From one inner tensor to another (inspect --tensors lists them):
                mlnet-linearize explain digits-cnn.onnx digits.csv --label-column label --scale 1/16 --from /1/Relu_output_0 --to /7/MaxPool_output_0
              The whole map of the first ten rows of a table, every output:
                mlnet-linearize explain digits-cnn.onnx digits.csv --label-column label --scale 1/16 --rows 10 --targets all --columns bias,weights --out maps.parquet
              Photographs of any size, prepared as the network's own preprocessing file says:
                mlnet-linearize explain resnet.onnx photos/ --preprocessing preprocessor_config.json --out maps/ --format overlay
              In a pipe; the summary goes to standard error:
                zcat rows.csv.gz | mlnet-linearize explain digits-cnn.onnx - --scale 1/16 --out - --format jsonl | head
              The third of sixteen jobs, which may be killed and started again:
                mlnet-linearize explain digits-cnn.onnx rows.parquet --shard 3/16 --resume --out part-03.parquet

            Formats of DATA:
              CSV, TSV   a header line; each column that is no label and not ignored is an input, in the order of the file
              Parquet    flat columns of numbers likewise; a column of lists is as many inputs as its lists have
              NPY        an array [N, ...] in C order, integers or floats
              IDX        as MNIST comes
              folder     PNG and JPEG images in the order of their names, values 0 to 255; folders in it are labels; an
                         image that is damaged or of more than 100 megapixels is refused

            Formats of --out:
              CSV        one column a value: Attribution.feature, or Attribution.target|feature with several targets; a text that
                         a spreadsheet would run, beginning with = + - @, a tab or CR, has an apostrophe in front
              Parquet    Attribution is a list of features, with several targets a list of such lists; names in the file's metadata
              NPY, NPZ   one array a column, [N, features' shape] or [N, targets, features' shape]; classes as numbers, -1 for none
              JSON lines one object a row, with the same nesting as Parquet; null for NaN
              PNG        row.png or row-target.png in a new folder: red spoke for the target, blue against it

            Preprocessing (--preprocessing FILE.json), applied in this order, each where its value or do_... is there:
              size, resample (0 nearest, 2 bilinear, 3 bicubic), crop_size, rescale_factor, image_mean, image_std
            """,
        ["verify"] = """
            Examples:
              mlnet-linearize verify digits-cnn.onnx digits.csv --label-column label --scale 1/16
              mlnet-linearize verify digits-cnn.onnx digits.csv --label-column label --scale 1/16 --targets all --tolerance 1e-6
            """,
        ["evaluate"] = """
            Examples:
              Curves as a picture, everything as a report to read in a browser:
                mlnet-linearize evaluate fashion-cnn.onnx images-idx3-ubyte.gz --scale 1/255 --plot curves.png --report report.html
              More rows, the true class of each, the table to a file:
                mlnet-linearize evaluate digits-cnn.onnx digits.csv --label-column label --scale 1/16 --rows 500 --targets label --out measures.csv
            """,
        ["export"] = """
            Examples:
              mlnet-linearize export digits-cnn.onnx digits-cnn.linearized.onnx
              mlnet-linearize export digits-cnn.onnx all.onnx --targets all

            In Python:
              outputs = onnxruntime.InferenceSession("digits-cnn.linearized.onnx").run(["Attribution", "Bias"], {"pixels": rows})
            """,
        ["completion"] = """
            Examples:
              bash, now or in ~/.bashrc:
                source <(mlnet-linearize completion bash)
              zsh, in ~/.zshrc after compinit:
                source <(mlnet-linearize completion zsh)
              PowerShell, in $PROFILE:
                mlnet-linearize completion pwsh | Out-String | Invoke-Expression
            """,
    };

    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        help.MaxWidth = 120;
        var code = help.Invoke(parseResult);
        var command = parseResult.CommandResult.Command;
        parseResult.InvocationConfiguration.Output.WriteLine(Examples[command is RootCommand ? CommandLine.Name : command.Name]);
        return code;
    }
}
