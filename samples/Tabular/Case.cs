using Microsoft.ML;
using Microsoft.ML.Data;

namespace Tabular;

/// <summary>A case as it stands in the table: thirty measurements in their own units, in three columns of ten.</summary>
internal sealed class Case
{
    public const int Properties = 10;

    public int Diagnosis { get; set; }

    [VectorType(Properties)] public float[] Mean { get; set; } = [];

    [VectorType(Properties)] public float[] Error { get; set; } = [];

    [VectorType(Properties)] public float[] Worst { get; set; } = [];

    public float this[int i] => Column(i)[i % Properties];

    /// <summary>Names of the measurements: the header, without the diagnosis.</summary>
    public static string[] Names(string file)
    {
        using var table = File.OpenText(file);
        return table.ReadLine()!.Split(',')[1..];
    }

    public static IDataView Load(MLContext ml, string file) => ml.Data.LoadFromTextFile(file,
        [
            new(nameof(Diagnosis), DataKind.Int32, 0),
            new(nameof(Mean), DataKind.Single, 1, 10),
            new(nameof(Error), DataKind.Single, 11, 20),
            new(nameof(Worst), DataKind.Single, 21, 30),
        ], separatorChar: ',', hasHeader: true);

    /// <summary>The same case with one measurement changed.</summary>
    public Case With(int i, float value)
    {
        var copy = new Case { Diagnosis = Diagnosis, Mean = [.. Mean], Error = [.. Error], Worst = [.. Worst] };
        copy.Column(i)[i % Properties] = value;
        return copy;
    }

    private float[] Column(int i) => (i / Properties) switch { 0 => Mean, 1 => Error, _ => Worst };
}
