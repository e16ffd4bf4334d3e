namespace MLNetLinearize.Tests.Assets;

/// <summary>Models that cannot be linearized are refused before a row is read, with one error that says what and why.</summary>
public class RefusalTests
{
    [AssetTheory]
    [InlineData("models/refuse/silero_vad_16k_op15.onnx", new[] { "If", "LSTM" })]
    [InlineData("models/refuse/pytorch_superresolution_with_pre_post_processing_op18.onnx", new[] { "DecodeImage", "image_out" })]
    [InlineData("models/refuse/magika_standard_v3_3.onnx", new[] { "bytes" })]
    public void The_error_names_what_stands_in_the_way(string file, string[] names)
    {
        var error = Assert.ThrowsAny<Exception>(() => LinearizationGraph.Compile(AssetFolder.File(file)));
        Assert.True(error is UnsupportedOperatorException or InvalidModelException, $"{error.GetType().Name} is no refusal: {error}");
        Assert.True(names.Any(n => error.Message.Contains(n, StringComparison.Ordinal)), error.Message);
        if (error is UnsupportedOperatorException refused)
        {
            Assert.NotEmpty(refused.Nodes);
            Assert.All(refused.Nodes, n =>
            {
                Assert.NotEmpty(n.Name);
                Assert.NotEmpty(n.Reason);
                Assert.NotEmpty(n.Remedy);
                Assert.Contains(n.Name, error.Message, StringComparison.Ordinal);
            });
        }
    }
}
