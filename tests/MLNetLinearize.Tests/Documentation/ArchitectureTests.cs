using Mono.Cecil;

namespace MLNetLinearize.Tests.Documentation;

/// <summary>
/// The library's folders stand in a line: a stage uses only the stages before it. What does not keep to that yet is listed in architecture.txt,
/// which may only become shorter: <c>MLNETLINEARIZE_UPDATE_ARCHITECTURE=1 dotnet test --filter ArchitectureTests</c> strikes out what is mended.
/// </summary>
public class ArchitectureTests
{
    private const string List = "tests/MLNetLinearize.Tests/Documentation/architecture.txt";
    private const string Root = "MLNetLinearize";

    /// <summary>In order; the files beside the folders are the last, since callers see them.</summary>
    private static readonly string[] Stages =
        ["Onnx", "Canonicalization", "Rules", "Linearization", "Runtime", "Preprocessing", "Transforms", "Evaluation", "Reporting", "(root)"];

    [Fact]
    public void A_stage_uses_only_the_stages_before_it()
    {
        var found = Found();
        var listed = File.ReadAllLines(Repository.File(List)).Where(l => l.Length > 0).ToList();
        var added = listed.Count == 0 ? [] : found.Except(listed).ToList();
        Assert.True(added.Count == 0, $"a stage uses a later one:\n{string.Join('\n', added)}");
        if (Environment.GetEnvironmentVariable("MLNETLINEARIZE_UPDATE_ARCHITECTURE") == "1") File.WriteAllLines(Repository.File(List), found);
        else Assert.True(found.Count == listed.Count, $"mended, and to be struck out of {List}:\n{string.Join('\n', listed.Except(found))}");
    }

    /// <summary>A stage is a folder and a namespace; each file lies in the folder of its namespace.</summary>
    [Fact]
    public void Every_folder_is_a_stage_and_a_namespace()
    {
        var folder = Repository.File("src/MLNetLinearize");
        var checkedFiles = 0;
        foreach (var path in Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories))
        {
            var parts = Path.GetRelativePath(folder, path).Split(Path.DirectorySeparatorChar);
            if (parts[0] is "bin" or "obj") continue;
            var name = File.ReadLines(path).FirstOrDefault(l => l.StartsWith("namespace ", StringComparison.Ordinal));
            if (name is null) continue;
            checkedFiles++;
            // Methods that are called on ML.NET's catalogs stand where their callers look for them.
            if (name != "namespace Microsoft.ML;") Assert.Equal($"namespace {(parts.Length == 1 ? Root : $"{Root}.{parts[0]}")};", name);
            Assert.Contains(parts.Length == 1 ? "(root)" : parts[0], Stages);
        }
        Assert.True(checkedFiles > 100, $"{checkedFiles} files");
    }

    /// <summary>Each use of a later stage: "type of a stage uses type of a later one".</summary>
    private static List<string> Found()
    {
        using var module = ModuleDefinition.ReadModule(typeof(Linearizer).Assembly.Location);
        var found = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var type in module.Types.Where(t => Stage(t) is not null))
        {
            foreach (var used in All(type).SelectMany(Uses).Select(Outermost).Where(u => u.Scope == module || u.Scope == type.Scope))
            {
                if (Stage(used) is { } later && Array.IndexOf(Stages, later) > Array.IndexOf(Stages, Stage(type)))
                    found.Add($"{Stage(type)}/{Plain(type)} uses {later}/{Plain(used)}");
            }
        }
        return [.. found];
    }

    private static string? Stage(TypeReference type) =>
        type.Namespace == Root ? "(root)" : type.Namespace.StartsWith(Root + ".", StringComparison.Ordinal) ? type.Namespace[(Root.Length + 1)..] : null;

    private static string Plain(TypeReference type) => type.Name.Split('`')[0];

    private static IEnumerable<TypeDefinition> All(TypeDefinition type) => type.NestedTypes.SelectMany(All).Prepend(type);

    /// <summary>The types that a type's code names: its bases, fields, signatures and bodies.</summary>
    private static IEnumerable<TypeReference> Uses(TypeDefinition type)
    {
        var named = type.Interfaces.Select(i => i.InterfaceType).Concat(type.Fields.Select(f => f.FieldType)).Concat(type.BaseType is null ? [] : [type.BaseType]);
        foreach (var method in type.Methods)
        {
            named = named.Concat(Signature(method));
            if (!method.HasBody) continue;
            named = named.Concat(method.Body.Variables.Select(v => v.VariableType)).Concat(method.Body.Instructions.SelectMany(i => i.Operand switch
            {
                MethodReference m => Signature(m).Append(m.DeclaringType),
                FieldReference f => [f.FieldType, f.DeclaringType],
                TypeReference t => [t],
                _ => Array.Empty<TypeReference>(),
            }));
        }
        return named.SelectMany(Parts);
    }

    private static IEnumerable<TypeReference> Signature(MethodReference method) =>
        method.Parameters.Select(p => p.ParameterType).Append(method.ReturnType).Concat(method is GenericInstanceMethod g ? g.GenericArguments : []);

    /// <summary>A list's element, and what is between its brackets.</summary>
    private static IEnumerable<TypeReference> Parts(TypeReference type) => type switch
    {
        GenericInstanceType generic => generic.GenericArguments.SelectMany(Parts).Append(generic.ElementType),
        TypeSpecification specification => Parts(specification.ElementType),
        GenericParameter => [],
        _ => [type],
    };

    private static TypeReference Outermost(TypeReference type) => type.DeclaringType is null ? type : Outermost(type.DeclaringType);
}
