using System.Buffers.Binary;
using Parquet;
using Parquet.Data;
using Parquet.Schema;

namespace MLNetLinearize.Cli.Data;

/// <summary>
/// A Parquet file as the library reads it. Its parts are parsed without checks of their own, so that damaged bytes come out as
/// exceptions of any kind, or as claims of gigabytes: nothing else calls the library, and here it is told what they are.
/// </summary>
internal sealed class ParquetFile : IDisposable
{
    /// <summary>Unless told otherwise, the library keeps every buffer that it ever used.</summary>
    private const int MostPooledBytes = 8 << 20;

    private const int LengthAndMagic = 8;

    private static readonly byte[] Magic = "PAR1"u8.ToArray();

    private readonly Stream stream;
    private readonly ParquetReader reader;
    private ParquetRowGroupReader? group;

    /// <param name="name">The file as people know it.</param>
    /// <param name="stream">The file, which is closed with this.</param>
    /// <exception cref="InputException">It is no sound Parquet file.</exception>
    public ParquetFile(string name, Stream stream)
    {
        (Name, this.stream) = (name, stream);
        CheckFooter();
        var options = new ParquetOptions { MaximumSmallPoolFreeBytes = MostPooledBytes, MaximumLargePoolFreeBytes = MostPooledBytes };
        reader = Sound(() => ParquetReader.CreateAsync(stream, options).GetAwaiter().GetResult());
        (Fields, Rows, Groups) = Sound(() => (reader.Schema.DataFields, reader.Metadata!.NumRows, reader.RowGroupCount));
        var counts = Sound(() => reader.Metadata!.RowGroups.Select(g => g.NumRows).ToList());
        if (counts.FirstOrDefault(c => c is < 0 or > int.MaxValue) is not 0 and var wrong) throw Unsound($"a row group of it would have {wrong:N0} rows.");
        if (counts.Sum() != Rows) throw Unsound($"it says that it has {Rows:N0} rows, and its row groups have {counts.Sum():N0}.");
    }

    /// <summary>The file as people know it.</summary>
    public string Name { get; }

    /// <summary>The columns of values, those of lists and records too.</summary>
    public DataField[] Fields { get; }

    public long Rows { get; }

    public int Groups { get; }

    /// <summary>Opens a row group in the place of the one before. Gives its number of rows.</summary>
    public int Open(int number)
    {
        CheckPages(number);
        group?.Dispose();
        group = Sound(() => reader.OpenRowGroupReader(number));
        return Sound(() => checked((int)group.RowCount));
    }

    /// <summary>Reads a column of the row group.</summary>
    public RawColumnData Read(DataField field) =>
        Sound(() => group!.ReadRawColumnDataBaseAsync(field, CancellationToken.None).AsTask().GetAwaiter().GetResult());

    /// <summary>What is wrong with the file.</summary>
    public InputException Unsound(string what) => new($"'{Name}' is no sound Parquet file: {what} Copy or download it again, or write it anew.");

    public void Dispose()
    {
        group?.Dispose();
        reader.DisposeAsync().AsTask().GetAwaiter().GetResult();
        stream.Dispose();
    }

    /// <summary>The file ends with its footer, the footer's length and the magic bytes.</summary>
    private void CheckFooter()
    {
        var end = new byte[LengthAndMagic];
        if (stream.Length < Magic.Length + end.Length) throw Unsound("it is cut short.");
        stream.Seek(-end.Length, SeekOrigin.End);
        stream.ReadExactly(end);
        if (!end.AsSpan(end.Length - Magic.Length).SequenceEqual(Magic)) throw Unsound("it does not end with PAR1, as one that is complete does.");
        var length = BinaryPrimitives.ReadInt32LittleEndian(end);
        var most = stream.Length - Magic.Length - end.Length;
        if (length < 1 || length > most) throw Unsound($"its footer would have {length:N0} bytes, and there are {most:N0}.");
        Sound(() =>
        {
            stream.Position = Magic.Length + most - length;
            ParquetLayout.CheckFooter(stream, Magic.Length + most);
            return stream.Position = 0;
        });
    }

    /// <summary>Looks through a row group's pages.</summary>
    private void CheckPages(int number) => Sound(() =>
    {
        foreach (var column in reader.Metadata!.RowGroups[number].Columns.Select(c => c.MetaData!))
        {
            // The pages of values come behind the one of the dictionary, where there is one.
            var first = column.DictionaryPageOffset is > 0 and var dictionary ? Math.Min(dictionary, column.DataPageOffset) : column.DataPageOffset;
            ParquetLayout.CheckPages(stream, first, stream.Length - LengthAndMagic, column.NumValues);
        }
        return number;
    });

    private T Sound<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (OutOfMemoryException)
        {
            throw Unsound("a part of it claims more memory than there is (where the file is sound, its row groups are too large).");
        }
        catch (Exception e) when (e is not (InputException or OperationCanceledException))
        {
            throw Unsound(Names.Reason(e));
        }
    }
}
