using System.Text;

namespace MLNetLinearize.Tests.Cli;

/// <summary>NumPy arrays, as the bytes of the format: what is read and written here was laid out by its specification, not by the code under test.</summary>
public class NpyTests
{
    [Theory]
    [InlineData("<f4", "0000803F 00000040 00004040")]
    [InlineData(">f4", "3F800000 40000000 40400000")]
    [InlineData("<f8", "000000000000F03F 0000000000000040 0000000000000840")]
    [InlineData(">f8", "3FF0000000000000 4000000000000000 4008000000000000")]
    [InlineData("<f2", "003C 0040 0042")]
    [InlineData("|u1", "01 02 03")]
    [InlineData("|i1", "01 02 03")]
    [InlineData("<i2", "0100 0200 0300")]
    [InlineData(">i2", "0001 0002 0003")]
    [InlineData("<u2", "0100 0200 0300")]
    [InlineData("<i4", "01000000 02000000 03000000")]
    [InlineData(">u4", "00000001 00000002 00000003")]
    [InlineData("<i8", "0100000000000000 0200000000000000 0300000000000000")]
    [InlineData(">u8", "0000000000000001 0000000000000002 0000000000000003")]
    public void Every_type_is_read(string type, string elements)
    {
        using var folder = new TemporaryFolder();
        Assert.Equal("6.5", Score(folder, Npy(1, type, false, "(1, 3)", elements)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Every_version_is_read(int version)
    {
        using var folder = new TemporaryFolder();
        Assert.Equal("6.5", Score(folder, Npy(version, "|u1", false, "(1, 3)", "010203")));
    }

    [Theory]
    [InlineData("{'shape': (1, 3), 'fortran_order': False, 'descr': '|u1'}")]
    [InlineData("{\"descr\":\"|u1\",\"fortran_order\":False,\"shape\":(1,3,1,)}")]
    public void The_header_is_a_dictionary_in_any_order_and_quotes(string header)
    {
        using var folder = new TemporaryFolder();
        Assert.Equal("6.5", Score(folder, Npy(1, header, "010203")));
    }

    [Fact]
    public void A_packed_array_and_one_on_standard_input_are_read()
    {
        using var folder = new TemporaryFolder();
        var (run, data) = CliRun.Piped(Npy(1, "|u1", false, "(2, 3)", "010203 000000"), "explain", TinyModels.WriteLinear(folder), "-", "--out", "-", "--columns", "score", "--quiet");
        Assert.Equal(0, run.Code);
        Assert.Equal("Row,ExplainedScore\n0,6.5\n1,1\n", Encoding.UTF8.GetString(data).ReplaceLineEndings("\n"));
    }

    [Theory]
    [InlineData("<f4", true, "(1, 3)", "000000000000000000000000", "is stored in Fortran order, so that its rows cannot be read one after the other. Save it as numpy.ascontiguousarray(array).")]
    [InlineData("<f4", false, "(1, 3)", "0000803F 0000C07F 00004040", "row 0 (counted from 0), value [1]: expected a number, but there is none;")]
    [InlineData("<f4", false, "(1, 3)", "0000803F 00000040 0000807F", "row 0 (counted from 0), value [2]: expected a finite number, but got Infinity.")]
    [InlineData("|u1", false, "(2, 3)", "010203 0102", "ends in row 1 of 2 (counted from 0): it is cut short.")]
    [InlineData("|u1", false, "(1, 3)", "01020304", "goes on after its 1 rows of shape [3].")]
    [InlineData("|u1", false, "(1, 4)", "01020304", "holds rows of shape [4], but the network's input 'x' takes [3]")]
    [InlineData("|u1", false, "()", "01", "holds a single number.")]
    [InlineData("|u1", false, "(1, -3)", "01", "its header gives the shape (1, -3)")]
    [InlineData("<c8", false, "(1, 3)", "00", "holds elements of type '<c8'; expected one of f2, f4, f8")]
    [InlineData("|O", false, "(1, 3)", "00", "holds elements of type '|O'; expected one of")]
    public void What_cannot_be_read_is_told(string type, bool fortran, string shape, string elements, string message)
    {
        using var folder = new TemporaryFolder();
        Refused(folder, Npy(1, type, fortran, shape, elements), message);
    }

    [Fact]
    public void Damaged_headers_are_told()
    {
        using var folder = new TemporaryFolder();
        var whole = Npy(1, "|u1", false, "(1, 3)", "010203");
        Refused(folder, whole[..40], "ends inside its header");
        Refused(folder, [.. whole[..6], 9, .. whole[7..]], "is an NPY file of version 9; versions 1, 2 and 3 are known.");
        Refused(folder, Npy(1, "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", "00"), "is no NPY file of plain numbers");
        Refused(folder, [0x93, .. "NUMPY"u8, 2, 0, 0xFF, 0xFF, 0xFF, 0x7F], "its header would have 2,147,483,647 bytes");
        var columns = CliRun.Of("explain", TinyModels.WriteLinear(folder), folder.Write("rows.npy", whole), "--label-column", "a");
        Assert.Contains("is an NPY file and has no columns.", columns.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Arrays_are_written_by_the_letter_of_the_format()
    {
        using var folder = new TemporaryFolder();
        Explain(folder, "--targets", "all", "--columns", "predicted,target,bias,attribution", "--out", folder.File("arrays"), "--format", "npy");
        Assert.Equal(["Attribution.npy", "Bias.npy", "ExplainedTarget.npy", "Predicted.npy", "Row.npy"], Directory.GetFiles(folder.File("arrays")).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal));
        Assert.Equal(Written("<i8", "(2,)", "0000000000000000 0100000000000000"), File.ReadAllBytes(folder.File("arrays/Row.npy")));
        Assert.Equal(Written("<i8", "(2,)", "0100000000000000 0000000000000000"), File.ReadAllBytes(folder.File("arrays/Predicted.npy")));
        Assert.Equal(Written("<i8", "(2, 2)", "0000000000000000 0100000000000000 0000000000000000 0100000000000000"), File.ReadAllBytes(folder.File("arrays/ExplainedTarget.npy")));
        Assert.Equal(Written("<f4", "(2, 2)", "0000803F 000000C0 0000803F 000000C0"), File.ReadAllBytes(folder.File("arrays/Bias.npy")));
        // Row 0: 2, −6, 0 and −1, 8, 1.5. Row 1: 0, 3, 0 and 0, −4, 2, with the signs of zero that the products have.
        Assert.Equal(Written("<f4", "(2, 2, 3)", "00000040 0000C0C0 00000000 000080BF 00000041 0000C03F 00000000 00004040 00000000 00000080 000080C0 00000040"), File.ReadAllBytes(folder.File("arrays/Attribution.npy")));
    }

    [Fact]
    public void A_zip_of_arrays_holds_the_same_files()
    {
        using var folder = new TemporaryFolder();
        Explain(folder, "--out", folder.File("arrays"), "--format", "npy");
        Explain(folder, "--out", folder.File("arrays.npz"));
        using var zip = System.IO.Compression.ZipFile.OpenRead(folder.File("arrays.npz"));
        Assert.Equal(["Attribution.npy", "Bias.npy", "ExplainedScore.npy", "ExplainedTarget.npy", "LinearizationError.npy", "Predicted.npy", "Row.npy"], zip.Entries.Select(e => e.FullName).Order(StringComparer.Ordinal));
        foreach (var entry in zip.Entries)
        {
            using var stream = entry.Open();
            using var copy = new MemoryStream();
            stream.CopyTo(copy);
            Assert.Equal(File.ReadAllBytes(folder.File($"arrays/{entry.FullName}")), copy.ToArray());
        }
        Assert.Equal(["arrays", "arrays.npz", "linear.onnx", "rows.csv"], Directory.GetFileSystemEntries(folder.Path).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_folder_is_never_written_over()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder.File("arrays"));
        Explain(folder, "--out", folder.File("arrays"), "--format", "npy");
        var again = CliRun.Of("explain", folder.File("linear.onnx"), folder.File("rows.csv"), "--out", folder.File("arrays"), "--format", "npy");
        Assert.Equal(1, again.Code);
        Assert.Contains("is a folder that is not empty. Name a new one.", again.Error, StringComparison.Ordinal);
    }

    private static void Explain(TemporaryFolder folder, params string[] options)
    {
        var run = CliRun.Of(["explain", TinyModels.WriteLinear(folder), folder.Write("rows.csv", "a,b,c\n1,2,3\n0,-1,4\n"), "--quiet", .. options]);
        Assert.Equal((0, ""), (run.Code, run.Error));
    }

    private static string Score(TemporaryFolder folder, byte[] npy)
    {
        var run = CliRun.Of("explain", TinyModels.WriteLinear(folder), folder.Write("rows.npy", npy), "--quiet", "--out", folder.File("out.csv"));
        Assert.Equal((0, ""), (run.Code, run.Error));
        return CsvTable.Read(folder.File("out.csv")).Rows[0]["ExplainedScore"];
    }

    private static void Refused(TemporaryFolder folder, byte[] npy, string message)
    {
        var run = CliRun.Of("explain", TinyModels.WriteLinear(folder), folder.Write("rows.npy", npy), "--quiet");
        Assert.Equal((1, ""), (run.Code, run.Out));
        Assert.Contains("rows.npy'", run.Error, StringComparison.Ordinal);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
    }

    private static byte[] Npy(int version, string type, bool fortran, string shape, string elements) =>
        Npy(version, $"{{'descr': '{type}', 'fortran_order': {(fortran ? "True" : "False")}, 'shape': {shape}, }}", elements);

    private static byte[] Npy(int version, string header, string elements)
    {
        var text = Encoding.ASCII.GetBytes(header.PadRight(117) + "\n");
        byte[] length = version == 1 ? [(byte)text.Length, 0] : [(byte)text.Length, 0, 0, 0];
        return [0x93, .. "NUMPY"u8, (byte)version, 0, .. length, .. text, .. Convert.FromHexString(elements.Replace(" ", "", StringComparison.Ordinal))];
    }

    /// <summary>What NumPy reads: 128 bytes of magic, length 118 and dictionary, padded by blanks to a line end; then the elements.</summary>
    private static byte[] Written(string type, string shape, string elements) => Npy(1, type, false, shape, elements);
}
