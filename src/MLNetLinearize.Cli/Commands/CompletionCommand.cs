using System.CommandLine;

namespace MLNetLinearize.Cli.Commands;

/// <summary><c>completion</c>: a script that makes a shell complete this tool's commands, options and their values. It asks the tool itself, through the directive <c>[suggest]</c>.</summary>
internal sealed class CompletionCommand(Terminal terminal)
{
    // An empty answer leaves the word to the shell, which completes file names.
    private const string Bash = """
        _mlnet_linearize() {
            local IFS=$'\n'
            COMPREPLY=($(compgen -W "$(mlnet-linearize "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
        }
        complete -o default -F _mlnet_linearize mlnet-linearize
        """;

    private const string Zsh = """
        #compdef mlnet-linearize
        _mlnet_linearize() {
            local -a found
            found=("${(@f)$(mlnet-linearize "[suggest:${CURSOR}]" "${BUFFER}" 2>/dev/null)}")
            compadd -- ${found:#} || _files
        }
        compdef _mlnet_linearize mlnet-linearize
        """;

    private const string PowerShell = """
        Register-ArgumentCompleter -Native -CommandName mlnet-linearize -ScriptBlock {
            param($word, $line, $position)
            mlnet-linearize "[suggest:$position]" "$line" 2>$null | Where-Object { $_ -like "$word*" } | ForEach-Object {
                [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
            }
        }
        """;

    private readonly Argument<string> shell = new Argument<string>("SHELL") { Description = "The shell: bash, zsh or pwsh." }.AcceptOnlyFromAmong("bash", "zsh", "pwsh");

    public Command Create()
    {
        var command = new Command("completion", "Print a script that completes this tool's commands and options in your shell.") { shell };
        command.SetAction(result => terminal.Out.Profile.Out.Writer.WriteLine(result.GetValue(shell) switch { "zsh" => Zsh, "pwsh" => PowerShell, _ => Bash }));
        return command;
    }
}
