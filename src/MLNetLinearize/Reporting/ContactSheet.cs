using SkiaSharp;

namespace MLNetLinearize.Reporting;

/// <summary>One attribution map under a photograph's card.</summary>
/// <param name="Caption">What the map explains, such as <c>says Shirt 5.2</c>.</param>
/// <param name="Pixels">One contribution per pixel.</param>
/// <param name="ByRegion">Drawn by region (<see cref="Regions"/>) rather than pixel by pixel.</param>
internal sealed record SheetMap(string Caption, float[] Pixels, bool ByRegion = false);

/// <summary>A photograph beside its maps. Those by pixel share one colour scale, and so do those by region.</summary>
/// <param name="Input">The row as the network saw it.</param>
/// <param name="Caption">Line over the photograph.</param>
/// <param name="Maps">The maps, left to right.</param>
/// <param name="Footer">Line under the card.</param>
/// <param name="IsMistake">Framed in red.</param>
internal sealed record SheetCard(float[] Input, string Caption, IReadOnlyList<SheetMap> Maps, string Footer, bool IsMistake);

/// <summary>Cards that belong together, beside a name and lines of notes.</summary>
internal sealed record SheetRow(string Name, IReadOnlyList<string> Notes, IReadOnlyList<SheetCard> Cards);

/// <summary>A headed part of the sheet.</summary>
internal sealed record SheetSection(string Heading, string Note, IReadOnlyList<SheetRow> Rows);

/// <summary>
/// A page of photographs beside the maps of which pixels spoke for and against what the network said. Light page, enlarged
/// pixels, the object's outline over the map; each card has its own colour scale, since a confident row would fade all others.
/// </summary>
internal sealed class ContactSheet(string title, IReadOnlyList<string> subtitle, ImageShape shape, IReadOnlyList<SheetSection> sections)
{
    private const float Margin = 40, Side = 112, Gap = 6, CardGap = 30, NameWidth = 104, CaptionHeight = 17, FooterHeight = 20, RowGap = 14;
    private const float BarWidth = 190, BarHeight = 12;
    private const string ScaleNote = "Full colour: the 99.5th percentile of a picture's |contribution|.";
    private static readonly SKColor OutlineColor = new(0x30, 0x34, 0x3A, 0x8C);

    private readonly float height = Side * Math.Min(1, (float)shape.Height / shape.Width), width = Side * Math.Min(1, (float)shape.Width / shape.Height);

    /// <summary>Draws the sheet as a PNG.</summary>
    public void SavePng(Stream stream)
    {
        var pageWidth = 2 * Margin + sections.SelectMany(s => s.Rows).Select(RowWidth).Append(640).Max();
        var textWidth = pageWidth - 2 * Margin;
        var intro = subtitle.SelectMany(s => SheetCanvas.Wrap(s, 12.5f, textWidth - BarWidth - 60)).ToList();
        var top = Margin + 34 + Math.Max(intro.Count * 18, 44) + 16;
        var pageHeight = top + sections.Sum(s => SectionHeight(s, textWidth)) + Margin - RowGap;
        using var canvas = new SheetCanvas(pageWidth, pageHeight);
        canvas.Text(title, Margin, Margin + 18, 22, SheetCanvas.Ink, strong: true, maxWidth: textWidth);
        for (var i = 0; i < intro.Count; i++) canvas.Text(intro[i], Margin, Margin + 46 + i * 18, 12.5f, SheetCanvas.Quiet);
        DrawLegend(canvas, pageWidth - Margin - BarWidth, Margin + 36);
        foreach (var section in sections)
        {
            DrawSection(canvas, section, top, textWidth);
            top += SectionHeight(section, textWidth);
        }
        canvas.SavePng(stream);
    }

    private static void DrawLegend(SheetCanvas canvas, float x, float y)
    {
        using var bar = new SKBitmap((int)BarWidth * 2, 1, SKColorType.Rgba8888, SKAlphaType.Opaque);
        for (var i = 0; i < bar.Width; i++) bar.SetPixel(i, 0, DivergingColors.Of(2.0 * i / (bar.Width - 1) - 1));
        var box = SKRect.Create(x, y, BarWidth, BarHeight);
        canvas.Picture(bar, box);
        canvas.Frame(box, SheetCanvas.Line, 1);
        canvas.Text("against", x, y + BarHeight + 15, 11, SheetCanvas.Ink);
        canvas.Text("0", x + BarWidth / 2, y + BarHeight + 15, 11, SheetCanvas.Ink, align: 0.5f);
        canvas.Text("for", x + BarWidth, y + BarHeight + 15, 11, SheetCanvas.Ink, align: 1);
        var note = SheetCanvas.Wrap(ScaleNote, 9.5f, BarWidth);
        for (var i = 0; i < note.Count; i++) canvas.Text(note[i], x, y + BarHeight + 31 + i * 13, 9.5f, SheetCanvas.Quiet);
    }

    private void DrawSection(SheetCanvas canvas, SheetSection section, float top, float textWidth)
    {
        canvas.Rule(Margin, top, textWidth);
        canvas.Text(section.Heading, Margin, top + 28, 15, SheetCanvas.Ink, strong: true);
        var note = Note(section, textWidth);
        for (var i = 0; i < note.Count; i++) canvas.Text(note[i], Margin, top + 47 + i * 16, 11.5f, SheetCanvas.Quiet);
        top += HeadingHeight(section, textWidth);
        foreach (var row in section.Rows)
        {
            var (x, y) = (Margin, top + CaptionHeight + height / 2 - 2 - row.Notes.Count * 7);
            canvas.Text(row.Name, x, y, 13, SheetCanvas.Ink, strong: true, maxWidth: NameWidth - 10);
            foreach (var line in row.Notes) canvas.Text(line, x, y += 15, 10.5f, SheetCanvas.Quiet, maxWidth: NameWidth - 10);
            x += NameWidth;
            foreach (var card in row.Cards)
            {
                DrawCard(canvas, card, x, top);
                x += CardWidth(card) + CardGap;
            }
            top += RowHeight(row);
        }
    }

    private void DrawCard(SheetCanvas canvas, SheetCard card, float x, float top)
    {
        var maps = card.Maps.Select(m => m.ByRegion ? Regions.Of(m.Pixels, shape) : m.Pixels).ToArray();
        float Scale(bool byRegion) => HeatMap.Scale(card.Maps.Zip(maps).Where(m => m.First.ByRegion == byRegion).SelectMany(m => m.Second).ToArray());
        var (pixelScale, regionScale) = (Scale(false), Scale(true));
        var box = SKRect.Create(x, top + CaptionHeight, width, height);
        using (var photograph = HeatMap.Photograph(card.Input, shape)) canvas.Picture(photograph, box);
        canvas.Frame(box, card.IsMistake ? SheetCanvas.Alarm : SheetCanvas.Line, card.IsMistake ? 2.5f : 1);
        canvas.Text(card.Caption, x, box.Top - 6, 11, SheetCanvas.Ink, maxWidth: width);
        using var outline = Outline(card.Input);
        for (var i = 0; i < card.Maps.Count; i++)
        {
            box.Offset(width + Gap, 0);
            using (var map = HeatMap.Draw(maps[i], shape, card.Maps[i].ByRegion ? regionScale : pixelScale)) canvas.Picture(map, box, smooth: card.Maps[i].ByRegion);
            canvas.Outline(outline, box, shape.Width, OutlineColor, 0.8f);
            canvas.Frame(box, SheetCanvas.Line, 1);
            canvas.Text(card.Maps[i].Caption, box.Left, box.Top - 6, 11, card.IsMistake && i == 0 ? SheetCanvas.Alarm : SheetCanvas.Ink, strong: card.IsMistake, maxWidth: width);
        }
        canvas.Text(card.Footer, x, box.Bottom + 14, 10.5f, SheetCanvas.Quiet, maxWidth: CardWidth(card));
    }

    /// <summary>The object's outline; in a picture finer than about fifty pixels, that of its larger parts, since grass and fur would cover the map with lines.</summary>
    private SKPath Outline(float[] input)
    {
        var brightness = shape.SumChannels(input);
        var fineness = Math.Min(shape.Height, shape.Width) / 56.0;
        if (fineness > 1) brightness = Regions.Average(brightness, shape, fineness);
        return Contours.Trace(brightness, shape.Width, shape.Height, Contours.Threshold(brightness));
    }

    private static IReadOnlyList<string> Note(SheetSection section, float textWidth) => SheetCanvas.Wrap(section.Note, 11.5f, textWidth);

    private static float HeadingHeight(SheetSection section, float textWidth) => 47 + Note(section, textWidth).Count * 16;

    private float SectionHeight(SheetSection section, float textWidth) => HeadingHeight(section, textWidth) + section.Rows.Sum(RowHeight) + 12;

    private float RowHeight(SheetRow _) => CaptionHeight + height + FooterHeight + RowGap;

    private float CardWidth(SheetCard card) => width + card.Maps.Count * (width + Gap);

    private float RowWidth(SheetRow row) => NameWidth + row.Cards.Sum(c => CardWidth(c) + CardGap) - CardGap;
}
