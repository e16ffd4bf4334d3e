using MLNetLinearize.Bulk;
using MLNetLinearize.Tests.Transforms;

namespace MLNetLinearize.Tests.Bulk;

/// <summary>The long measurements in a short form: that they measure what they say. Speed is not judged here, memory and rows are.</summary>
public class BulkRunTests
{
    [Fact]
    public void AShortRunKeepsMemoryAndEveryRow()
    {
        var file = Path.GetTempFileName();
        try
        {
            bool kept;
            using (var report = new Report(new FileInfo(file))) kept = BulkRun.Run(new(Samples.Path(""), Rows: 20_000, Compared: 500, SoakSeconds: 3), report);
            var text = File.ReadAllText(file);

            Assert.True(kept, text);
            Assert.Contains("20,000 rows", text, StringComparison.Ordinal);
            Assert.Contains("wrong rows: 0", text, StringComparison.Ordinal);
            Assert.Equal(4, text.Split("times (at least").Length - 1);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
