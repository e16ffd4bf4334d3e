return MLNetLinearize.Benchmarks.CommandLine.Run(args);
