using System.CommandLine;
using MLNetLinearize.Fuzz;

var samples = new Option<DirectoryInfo>("--samples") { Description = "The repository's folder of samples.", DefaultValueFactory = _ => new("samples") };
var seconds = new Option<int>("--seconds") { Description = "Seconds to run." };
var count = new Option<int>("--count") { Description = "Mutants to run; without it, and without --seconds, 200." };
var seed = new Option<int>("--seed") { Description = "Seed of the first mutant; each further one is drawn from the next.", DefaultValueFactory = _ => 1 };
var reproduce = new Option<int?>("--reproduce") { Description = "Runs the mutant of this seed alone, in this process." };
var output = new Option<FileInfo?>("--out") { Description = "With --reproduce: file for the mutant." };
var results = new Option<FileInfo?>("--results") { Description = "File for the table." };
var worker = new Option<bool>("--worker") { Description = "Runs the mutants whose seeds standard input gives.", Hidden = true };
var command = new RootCommand("Explains mutated models: none may crash, hang, flood the memory, fail without a word or get a wrong number.")
{
    samples, seconds, count, seed, reproduce, output, results, worker,
};
command.SetAction(result =>
{
    var corpus = new Corpus(result.GetValue(samples)!.FullName, Environment.GetEnvironmentVariable("MLNETLINEARIZE_ASSETS"));
    if (result.GetValue(worker)) return Worker.Run(corpus);
    if (result.GetValue(reproduce) is { } one) return Worker.Reproduce(corpus, one, result.GetValue(output));
    var (time, most) = (result.GetValue(seconds), result.GetValue(count));
    var limit = new FuzzLimit(time > 0 ? TimeSpan.FromSeconds(time) : TimeSpan.MaxValue, most > 0 ? most : time > 0 ? int.MaxValue : 200);
    return new FuzzRun(corpus, result.GetValue(samples)!.FullName).Run(result.GetValue(seed), limit, result.GetValue(results)) ? 0 : 1;
});
return await command.Parse(args).InvokeAsync();
