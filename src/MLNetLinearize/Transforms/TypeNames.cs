namespace MLNetLinearize.Transforms;

/// <summary>Names of .NET types as people know them from ML.NET.</summary>
internal static class TypeNames
{
    public static string Of(Type type) => type == typeof(ReadOnlyMemory<char>) ? "text" : !type.IsGenericType ? type.Name
        : $"{type.Name[..type.Name.IndexOf('`', StringComparison.Ordinal)]} of {string.Join(", ", type.GetGenericArguments().Select(Of))}";
}
