using System.Globalization;
using System.Text.Json;
using Samples.Shared;
using Service;

// A web service that answers a prediction with its explanation. 'load' starts it on a free port of this machine and measures it; 'draw' makes a picture of an answer.
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args is ["draw", var file, var folder])
{
    Directory.CreateDirectory(folder);
    AnswerPicture.Save(Path.Combine(folder, "answer.png"), JsonSerializer.Deserialize<ExplanationAnswer>(await File.ReadAllTextAsync(file), JsonSerializerOptions.Web)!);
    return 0;
}
if (args is not ["load", ..])
{
    var service = Endpoints.Build(args);
    await using (service.ConfigureAwait(false)) await service.RunAsync();
    return 0;
}
if (args.Length > 3 || !double.TryParse(args.ElementAtOrDefault(1) ?? "10", CultureInfo.InvariantCulture, out var seconds) || seconds is not (> 0 and <= 600))
{
    Console.Error.WriteLine("Service [--urls http://127.0.0.1:5000]    serves\nService load [SECONDS] [OUTPUT FOLDER]   measures it on loopback for up to 600 seconds (default: 10); load.txt goes to the folder (default: samples/output)\nService draw ANSWER.json OUTPUT-FOLDER    draws an answer as answer.png");
    return 1;
}
var measured = Endpoints.Build("--urls", "http://127.0.0.1:0", "--Logging:LogLevel:Default", "Warning");
await using (measured.ConfigureAwait(false))
{
    await measured.StartAsync();
    var result = await LoadTest.Run(measured.Urls.Single(), TimeSpan.FromSeconds(seconds));
    Console.WriteLine(result);
    var output = args.ElementAtOrDefault(2) ?? Path.Combine(SampleData.Folder, "output");
    Directory.CreateDirectory(output);
    await File.WriteAllTextAsync(Path.Combine(output, "load.txt"), result + "\n");
    await measured.StopAsync();
}
return 0;
