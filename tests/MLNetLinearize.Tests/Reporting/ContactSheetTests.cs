using MLNetLinearize.Reporting;
using SkiaSharp;

namespace MLNetLinearize.Tests.Reporting;

public class ContactSheetTests
{
    private static readonly ImageShape Shape = new(4, 4);

    [Fact]
    public void Pictures_and_maps_are_where_they_belong()
    {
        using var sheet = Draw();
        // Twice the layout's units: margin 40 + name 104 is the photograph's left edge.
        var (left, photo) = (2 * 144, Find(sheet, 2 * 144 + 4, SKColors.Black));
        Assert.Equal(SKColors.Black, sheet.GetPixel(left + 20, photo + 20));
        Assert.Equal(SKColors.White, sheet.GetPixel(left + 200, photo + 200));
        var map = left + 2 * (112 + 6);
        Assert.Equal(DivergingColors.Of(1), sheet.GetPixel(map + 20, photo + 20));
        Assert.Equal(DivergingColors.Of(-0.5), sheet.GetPixel(map + 76, photo + 20));
        Assert.Equal(SKColors.White, sheet.GetPixel(map + 132, photo + 20));
    }

    [Fact]
    public void Only_mistakes_have_a_red_frame()
    {
        using var sheet = Draw();
        var red = Enumerable.Range(0, sheet.Height).Select(y => sheet.GetPixel(2 * 144 - 3, y)).Select(c => c == SheetCanvas.Alarm).ToArray();
        var first = Array.IndexOf(red, true);
        Assert.Equal(2 * (112 + 5), red.Count(r => r));
        Assert.True(first > sheet.Height / 2);
    }

    [Fact]
    public void Letters_are_drawn_without_any_installed_font()
    {
        using var sheet = Draw();
        var ink = Enumerable.Range(0, 2 * 64).Sum(y => Enumerable.Range(80, 600).Count(x => sheet.GetPixel(x, y).Red < 80));
        Assert.InRange(ink, 500, 20_000);
        Assert.True(SheetCanvas.Measure("WWWW", 12) > 2 * SheetCanvas.Measure("iiii", 12));
        Assert.True(SheetCanvas.Measure("Ärger Ωмега − …", 12) > 60);
    }

    [Fact]
    public void Long_texts_are_broken_into_lines_that_fit()
    {
        var lines = SheetCanvas.Wrap("one two three four five six seven eight nine ten", 12, 90);
        Assert.True(lines.Count > 2);
        Assert.All(lines, l => Assert.True(SheetCanvas.Measure(l, 12) <= 90));
        Assert.Equal("one two three four five six seven eight nine ten", string.Join(' ', lines));
    }

    [Fact]
    public void Examples_are_the_first_right_rows_and_the_surest_of_each_mistake()
    {
        var selection = new ExampleSelection(perClass: 2, maxClasses: 2, maxConfusions: 2);
        var row = 0L;
        void Add(int predicted, int? label, float margin = 1) => selection.Add(row++, [row], predicted == 0 ? [margin, 0, 0] : predicted == 1 ? [0, margin, 0] : [0, 0, margin], predicted, label);
        Add(1, 1);            // 0
        Add(0, 0);            // 1
        Add(1, 1);            // 2
        Add(1, 1);            // 3: a third of its class
        Add(2, 2);            // 4: a third class
        Add(0, 1, margin: 2); // 5
        Add(0, 1, margin: 5); // 6: surer
        Add(0, 1, margin: 3); // 7
        Add(1, 0);            // 8
        Add(2, 0);            // 9: a third kind of mistake
        Assert.Equal([(0, "1"), (1, "0 2")], selection.Right.Select(r => (r.Key, string.Join(' ', r.Value.Select(e => e.Row)))));
        Assert.Equal([(1, 0, 3L, 6L), (0, 1, 1L, 8L)], selection.Confusions.Select(c => (c.Label, c.Predicted, c.Count, c.Surest.Row)));
        Assert.Equal(new ClassCount(6, 3), selection.Counts[1]);
    }

    private static SKBitmap Draw()
    {
        float[] image = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1];
        float[] map = [4, -2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        SheetCard Card(bool mistake) => new(image, "row 1", [new("by pixel", map), new("by region", map, ByRegion: true)], "score 1", mistake);
        var sheet = new ContactSheet("Title", ["Subtitle"], Shape, [new("Right", "Note", [new("A", ["1 of 2"], [Card(false)])]), new("Wrong", "Note", [new("B", [], [Card(true)])])]);
        using var stream = new MemoryStream();
        sheet.SavePng(stream);
        return SKBitmap.Decode(stream.ToArray());
    }

    private static int Find(SKBitmap sheet, int x, SKColor color) => Enumerable.Range(0, sheet.Height).First(y => sheet.GetPixel(x, y) == color && sheet.GetPixel(x, y + 8) == color && sheet.GetPixel(x + 100, y) == color);
}
