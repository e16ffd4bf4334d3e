using Microsoft.Playwright;

namespace MLNetLinearize.Tests.Reporting;

/// <summary>A test in a browser; skipped, visibly, where the machine has none.</summary>
internal sealed class BrowserFactAttribute : FactAttribute
{
    public BrowserFactAttribute() => Skip = Browser.SkipReason;
}

/// <inheritdoc cref="BrowserFactAttribute"/>
internal sealed class BrowserTheoryAttribute : TheoryAttribute
{
    public BrowserTheoryAttribute() => Skip = Browser.SkipReason;
}

/// <summary>The Chromium of the machine: the one that an environment variable names, else the first on the path. None is downloaded.</summary>
public sealed class Browser : IAsyncLifetime
{
    private const string Variable = "MLNETLINEARIZE_BROWSER";
    private static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "chrome.exe", "msedge.exe"];
    private IPlaywright? playwright;
    private IBrowser? browser;

    public static string? SkipReason => Executable is null ? $"No Chromium is on the path, and {Variable} names none." : null;

    private static string? Executable { get; } = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named
        ? named
        : (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).SelectMany(folder => Names.Select(name => Path.Combine(folder, name))).FirstOrDefault(File.Exists);

    public async Task InitializeAsync()
    {
        if (Executable is null) return;
        playwright = await Playwright.CreateAsync();
        // Containers lack what the sandbox needs; only our own pages are opened.
        browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = Executable, Args = ["--no-sandbox"] });
    }

    public async Task DisposeAsync()
    {
        if (browser is not null) await browser.DisposeAsync();
        playwright?.Dispose();
    }

    /// <summary>Opens a report and waits for its first explanation.</summary>
    internal async Task<OpenReport> Open(string path, bool isDark = false, string hash = "", int width = 1280, int height = 900)
    {
        var page = await browser!.NewPageAsync(new() { ViewportSize = new() { Width = width, Height = height }, ColorScheme = isDark ? ColorScheme.Dark : ColorScheme.Light });
        page.SetDefaultTimeout(60_000);
        var report = new OpenReport(page);
        await page.GotoAsync(new Uri(path).AbsoluteUri + hash);
        await page.WaitForSelectorAsync(".statement, #row-panel .notice");
        return report;
    }
}

/// <summary>A report in the browser, and all that went wrong with it or that it asked for.</summary>
internal sealed class OpenReport : IAsyncDisposable
{
    public OpenReport(IPage page)
    {
        Page = page;
        page.Console += (_, message) => Problems.Add($"console: {message.Text}");
        page.PageError += (_, error) => Problems.Add($"error: {error}");
        page.Dialog += (_, dialog) =>
        {
            Problems.Add($"dialog: {dialog.Message}");
            _ = dialog.DismissAsync();
        };
        page.Request += (_, request) => Requests.Add(request.Url);
    }

    public IPage Page { get; }

    public List<string> Problems { get; } = [];

    public List<string> Requests { get; } = [];

    /// <summary>The cells of the table's page, row by row.</summary>
    public async Task<string[][]> Rows() =>
        await Page.EvaluateAsync<string[][]>("[...document.querySelectorAll('table.rows tbody tr')].map(r => [...r.cells].map(c => c.textContent))");

    public Task<string> Text(string selector) => Page.Locator(selector).InnerTextAsync();

    public Task Click(string selector) => Page.Locator(selector).ClickAsync();

    public async ValueTask DisposeAsync() => await Page.CloseAsync();
}
