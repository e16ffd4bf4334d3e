return await MLNetLinearize.Cli.CommandLine.RunAsync(args, MLNetLinearize.Cli.Terminal.System());
