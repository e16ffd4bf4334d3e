using System.Globalization;
using Service;

// A web service that answers a prediction with its explanation. 'load' starts it on a free port of this machine and measures it.
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args is not ["load", ..])
{
    var service = Endpoints.Build(args);
    await using (service.ConfigureAwait(false)) await service.RunAsync();
    return 0;
}
if (args.Length > 2 || !double.TryParse(args.ElementAtOrDefault(1) ?? "10", CultureInfo.InvariantCulture, out var seconds) || seconds is not (> 0 and <= 600))
{
    Console.Error.WriteLine("Service [--urls http://127.0.0.1:5000]    serves\nService load [SECONDS]                   measures it on loopback for up to 600 seconds (default: 10)");
    return 1;
}
var measured = Endpoints.Build("--urls", "http://127.0.0.1:0");
await using (measured.ConfigureAwait(false))
{
    await measured.StartAsync();
    await LoadTest.Run(measured.Urls.Single(), TimeSpan.FromSeconds(seconds));
    await measured.StopAsync();
}
return 0;
