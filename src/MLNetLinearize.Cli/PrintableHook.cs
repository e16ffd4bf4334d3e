using Spectre.Console;
using Spectre.Console.Rendering;

namespace MLNetLinearize.Cli;

/// <summary>Between what is to be shown and the console: control characters of names are escaped, those of the console itself pass.</summary>
internal sealed class PrintableHook : IRenderHook
{
    public IEnumerable<IRenderable> Process(RenderOptions options, IEnumerable<IRenderable> renderables) => renderables.Select(r => new Shown(r));

    private sealed class Shown(IRenderable inner) : IRenderable
    {
        public Measurement Measure(RenderOptions options, int maxWidth) => inner.Measure(options, maxWidth);

        public IEnumerable<Segment> Render(RenderOptions options, int maxWidth) => inner.Render(options, maxWidth).Select(Escaped);

        private static Segment Escaped(Segment segment)
        {
            if (segment.IsControlCode || segment.IsLineBreak) return segment;
            var text = Printable.Text(segment.Text, keepsLines: true);
            return text == segment.Text ? segment : new Segment(text, segment.Style);
        }
    }
}
