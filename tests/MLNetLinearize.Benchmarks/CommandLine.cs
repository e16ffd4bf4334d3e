using System.CommandLine;
using System.Text.Json;
using BenchmarkDotNet.Running;
using MLNetLinearize.Benchmarks.Comparison;
using MLNetLinearize.Benchmarks.Networks;
using MLNetLinearize.Benchmarks.Peers;

namespace MLNetLinearize.Benchmarks;

/// <summary>The commands: <c>agree</c>, <c>compare</c>, <c>profile</c>, <c>compile</c>, and BenchmarkDotNet's own under <c>benchmark</c>.</summary>
internal static class CommandLine
{
    /// <summary>The command of the processes that <c>compile</c> starts.</summary>
    public const string CompileOnce = "compile-once";

    private static readonly Option<string> Folder = new("--out") { Description = "Folder of the results.", DefaultValueFactory = _ => Path.Combine("tests", "MLNetLinearize.Benchmarks", "results") };

    private static readonly Option<string[]> NetworkNames = new("--networks") { Description = "Networks; all when left out.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [] };

    public static int Run(string[] args)
    {
        var root = new RootCommand("Speed of linearization against libtorch, ONNX Runtime and stock ML.NET.");
        root.Add(Agree());
        root.Add(Compare());
        root.Add(Profile());
        root.Add(Compile());
        root.Add(CompileOneModel());
        root.Add(Benchmark());
        return root.Parse(args).Invoke();
    }

    private static Command Agree()
    {
        var command = new Command("agree", "Compare scores and W of the engines, without timing. Exit code 1 where they differ.") { NetworkNames };
        command.SetAction(parsed =>
        {
            var holds = true;
            foreach (var name in Networks(parsed.GetValue(NetworkNames)!)) holds &= Compared(name).Hold;
            return holds ? 0 : 1;
        });
        return command;
    }

    private static Command Compare()
    {
        var threads = new Option<int>("--threads") { Description = "Threads of every engine.", DefaultValueFactory = _ => 1 };
        var seconds = new Option<double>("--seconds") { Description = "Time for one case.", DefaultValueFactory = _ => 8 };
        var questions = new Option<Question[]>("--questions") { Description = "Questions; all when left out.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [] };
        var command = new Command("compare", "Time every case against its peer, in turns, and write the table of this machine.") { threads, seconds, Folder, questions, NetworkNames };
        command.SetAction(parsed =>
        {
            var results = new Results(parsed.GetValue(Folder)!, parsed.GetValue(threads));
            var asked = parsed.GetValue(questions)!;
            if (!LibTorchNetwork.IsAvailable) Console.WriteLine(LibTorchNetwork.Absence);
            foreach (var name in Networks(parsed.GetValue(NetworkNames)!))
            {
                // Engines that answer different questions are not compared.
                var ways = Compared(name);
                if (!ways.Hold) return 1;
                foreach (var one in Case.Everything.Where(c => c.Network == name && (asked.Length == 0 || asked.Contains(c.Question))))
                {
                    var load = Results.Load;
                    using var contenders = new Contenders(one, ways.Peers, parsed.GetValue(threads));
                    var line = results.Add(one, Interleaved.Run(contenders, parsed.GetValue(threads), TimeSpan.FromSeconds(parsed.GetValue(seconds))), ways.Wrong, load);
                    Console.WriteLine($"{one}: ours {line.Ours:0.0000} ms, peer {line.Peer:0.0000} ms ({line.PeerWay}), ratio {line.Ratio:0.000} (goal {line.Goal}), {line.InScorings:0.0} F, {line.Turns} turns, load {load}");
                    results.Save();
                }
            }
            return 0;
        });
        return command;
    }

    private static Command Profile()
    {
        var network = new Argument<string>("network") { Description = "The network." };
        var batch = new Argument<int>("batch") { Description = "Rows." };
        var question = new Argument<Question>("question") { Description = "Top or All." };
        var threads = new Option<int>("--threads") { Description = "Threads.", DefaultValueFactory = _ => 1 };
        var byNode = new Option<bool>("--nodes") { Description = "Node by node." };
        var command = new Command("profile", "Print where the time of our answer goes, by operator.") { network, batch, question, threads, byNode };
        command.SetAction(parsed =>
        {
            var asked = new Case(parsed.GetValue(network)!, parsed.GetValue(batch), parsed.GetValue(question), null);
            foreach (var (name, nodes, milliseconds) in OperatorProfile.Of(asked, parsed.GetValue(threads), parsed.GetValue(byNode))) Console.WriteLine($"{milliseconds,12:0.0000} ms {nodes,4} {name}");
        });
        return command;
    }

    private static Command Compile()
    {
        var files = new Argument<string[]>("files") { Description = "ONNX files.", Arity = ArgumentArity.OneOrMore };
        var repeats = new Option<int>("--repeats") { Description = "Processes of each kind and file.", DefaultValueFactory = _ => 5 };
        var command = new Command("compile", "Time how long models take from the file to a session that explains, and write the table.") { files, repeats, Folder };
        command.SetAction(parsed =>
        {
            var times = parsed.GetValue(files)!.Select(f => CompileTimes.Measure(f, parsed.GetValue(repeats))).ToList();
            foreach (var t in times) Console.WriteLine($"{t.Model}: compiled in {t.Compiled.Wall:0.00} s ({t.Compiled.Processor:0.00} s of processors), cached {t.Cached.Wall:0.00} s ({t.Cached.Processor:0.00} s), the model itself scored {t.Scored.Wall:0.00} s, load {t.Load}");
            CompileTimes.Save(parsed.GetValue(Folder)!, times);
        });
        return command;
    }

    private static Command CompileOneModel()
    {
        var (file, cache) = (new Argument<string>("file"), new Argument<string?>("cache") { Arity = ArgumentArity.ZeroOrOne });
        var command = new Command(CompileOnce) { file, cache };
        command.Hidden = true;
        command.SetAction(parsed => Console.WriteLine(JsonSerializer.Serialize(CompileTimes.Once(parsed.GetValue(file)!, parsed.GetValue(cache)))));
        return command;
    }

    private static Command Benchmark()
    {
        var rest = new Argument<string[]>("arguments") { Description = "Arguments of BenchmarkDotNet, behind --.", DefaultValueFactory = _ => [] };
        var command = new Command("benchmark", "Run the cases under BenchmarkDotNet.") { rest };
        command.SetAction(parsed => { BenchmarkSwitcher.FromAssembly(typeof(CommandLine).Assembly).Run(parsed.GetValue(rest)); });
        return command;
    }

    /// <summary>The engines whose answer is compared with ours, and whether the question is the same: see <see cref="Ways.Hold"/>.</summary>
    private static Ways Compared(string name)
    {
        var ways = Ways.Of(NetworkCatalog.Make(name));
        foreach (var (peer, agreement, verdict) in ways.Lines)
            Console.WriteLine($"{name} and {peer}: relative difference {agreement.Scores:0.0e+0} of scores, {agreement.Closest:0.0e+0} to {agreement.Farthest:0.0e+0} of W; error {agreement.Error:0.0e+0}{verdict}");
        return ways;
    }

    private static IEnumerable<string> Networks(string[] names) => names.Length > 0 ? names : NetworkCatalog.Names;
}
