// Loads saved models, applies each to a binary data file, and prints the columns it is told.
// Arguments: the data file, the columns separated by commas, and the models.
using LoadWithoutLibrary;
using Microsoft.ML;

if (Directory.GetFiles(AppContext.BaseDirectory, "MLNetLinearize*").Length > 0)
{
    Console.Error.WriteLine("The library is here; this program must run without it.");
    return 1;
}
var ml = new MLContext();
var data = ml.Data.LoadFromBinary(args[0]);
foreach (var file in args[2..])
{
    Console.WriteLine($"model {file}");
    var model = ml.Model.Load(file, out _);
    foreach (var line in ViewText.Of(model.Transform(data), args[1].Split(','))) Console.WriteLine(line);
    (model as IDisposable)?.Dispose();
}
return 0;
