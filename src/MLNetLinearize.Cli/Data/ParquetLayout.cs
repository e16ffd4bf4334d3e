namespace MLNetLinearize.Cli.Data;

/// <summary>
/// Looks through the records of a Parquet file (its footer, the heads of its pages) before the library does. The library takes
/// the types of fields for granted and passes over what it does not know as often as a list says it has elements, so that
/// a few damaged bytes keep it busy for hours. Here every length must fit into what is left, and every known field be of its type
/// ("parquet.thrift" of the Parquet format; "Thrift compact protocol encoding").
/// </summary>
internal sealed class ParquetLayout
{
    private const int Boolean = 2, Byte = 3, Short = 4, Int = 5, Long = 6, Double = 7, Text = 8, List = 9, Record = 12;

    /// <summary>Most records inside each other; the format has seven.</summary>
    private const int MostNested = 16;

    // The types of the fields 1, 2, …: a letter each, ? where there is none. L, I, M and T are lists of records, ints, longs and texts.
    private static readonly Shape KeyValue = new("ss"), Statistics = new("ssllssbb"), TimeUnit = new("SSS"), Time = new("bS", (2, TimeUnit)),
        Logical = new("SSSSSSSS?SSSSSSSSS", (5, new("ii")), (7, Time), (8, Time), (10, new("yb")), (16, new("y")), (17, new("s")), (18, new("si"))),
        ColumnMetadata = new("iITilllLlllSLliSS", (8, KeyValue), (12, Statistics), (13, new("iii")), (16, new("lMM")), (17, new("SI", (1, new("dddddddd"))))),
        Column = new("slSliliSs", (3, ColumnMetadata)),
        Group = new("LllLllh", (1, Column), (4, new("ibb"))),
        Footer = new("iLlLLsLSs", (2, new("iiisiiiiiS", (10, Logical))), (4, Group), (5, KeyValue), (7, new("SSS"))),
        Page = new("iiiiSSSS", (5, new("iiiiS", (5, Statistics))), (7, new("iib")), (8, new("iiiiiibS", (8, Statistics))));

    private readonly Stream stream;
    private readonly long end;
    private readonly Dictionary<(int Record, int Field), int> numbers = [];

    private ParquetLayout(Stream stream, long end) => (this.stream, this.end) = (stream, end);

    /// <summary>Looks through the footer, which begins where the stream is.</summary>
    /// <param name="stream">The file.</param>
    /// <param name="end">Where the footer ends.</param>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public static void CheckFooter(Stream stream, long end) => new ParquetLayout(stream, end).Walk(Footer, 0, 0);

    /// <summary>Looks through the heads of a column's pages.</summary>
    /// <param name="stream">The file.</param>
    /// <param name="start">Where the first page begins.</param>
    /// <param name="end">Where the last has to end.</param>
    /// <param name="values">Values that they hold.</param>
    /// <exception cref="InvalidDataException">They are damaged.</exception>
    public static void CheckPages(Stream stream, long start, long end, long values)
    {
        while (values > 0)
        {
            if (start < 0 || start >= end) throw new InvalidDataException($"A page of it would begin at byte {start:N0}, and there are {end:N0}.");
            stream.Position = start;
            var page = new ParquetLayout(stream, end);
            page.Walk(Page, 0, 0);
            var size = page.numbers.GetValueOrDefault((0, 3), -1);
            if (size < 0 || size > end - stream.Position) throw new InvalidDataException($"A page of it would have {size:N0} bytes, "
                + $"and {end - stream.Position:N0} are left.");
            if (page.numbers.GetValueOrDefault((0, 2)) < 0) throw new InvalidDataException("A page of it would unpack to less than nothing.");
            // Pages of either version tell their values first.
            values -= Math.Max(0, page.numbers.GetValueOrDefault((5, 1), page.numbers.GetValueOrDefault((8, 1))));
            start = stream.Position + size;
        }
    }

    /// <summary>Passes over a record.</summary>
    /// <param name="shape">What is known of it.</param>
    /// <param name="record">Its number among the fields of the outermost, 0 for that itself.</param>
    /// <param name="depth">Records around it.</param>
    private void Walk(Shape? shape, int record, int depth)
    {
        if (depth > MostNested) throw new InvalidDataException("Its records lie in each other without end.");
        for (short field = 0; Next() is not 0 and var head;)
        {
            var type = head & 15;
            field = head >> 4 == 0 ? (short)Signed(Number()) : (short)(field + (head >> 4));
            var expected = shape?.TypeOf(field) ?? '?';
            if (expected != '?' && type != TypeOf(expected) && !(expected == 'b' && type == Boolean - 1)) throw new InvalidDataException($"A field of "
                + $"a record is of type {type} where {TypeOf(expected)} belongs.");
            if (type == Int && depth < 2) numbers[(record, field)] = (int)Signed(Number());
            else Pass(type, expected, shape?.Inner(field), depth == 0 ? field : record, depth, isElement: false);
        }
    }

    private void Pass(int type, char expected, Shape? inner, int record, int depth, bool isElement)
    {
        switch (type)
        {
            case Boolean or Boolean - 1 when !isElement: break;
            case Byte: Next(); break;
            case Short or Int or Long: Number(); break;
            case Double: Skip(sizeof(double)); break;
            case Text: Skip(Number()); break;
            case Record: Walk(inner, record, depth + 1); break;
            case List when !isElement:
                var head = Next();
                var count = head >> 4 == 15 ? Number() : (ulong)(head >> 4);
                if (count > (ulong)(end - stream.Position)) throw new InvalidDataException($"A list of it would have {count:N0} elements.");
                if (expected != '?' && count > 0 && (head & 15) != ElementOf(expected)) throw new InvalidDataException($"A list of it holds elements "
                    + $"of type {head & 15} where {ElementOf(expected)} belongs.");
                for (; count > 0; count--) Pass(head & 15, '?', inner, -1, depth, isElement: true);
                break;
            // Lists of truth values or of lists, sets and maps: the format has none.
            default: throw new InvalidDataException($"A record of it holds a value of type {type}.");
        }
    }

    private int Next()
    {
        if (stream.Position >= end) throw new InvalidDataException("A record of it has no end.");
        return stream.ReadByte();
    }

    private void Skip(ulong bytes)
    {
        if (bytes > (ulong)(end - stream.Position)) throw new InvalidDataException($"A text of it would have {bytes:N0} bytes.");
        stream.Seek((long)bytes, SeekOrigin.Current);
    }

    /// <summary>A number of seven bits a byte.</summary>
    private ulong Number()
    {
        var number = 0UL;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var next = Next();
            number |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80) return number;
        }
        throw new InvalidDataException("A number of it has no end.");
    }

    private static long Signed(ulong number) => (long)(number >> 1) ^ -(long)(number & 1);

    private static int TypeOf(char letter) => letter switch
    {
        'b' => Boolean,
        'y' => Byte,
        'h' => Short,
        'i' => Int,
        'l' => Long,
        'd' => Double,
        's' => Text,
        'S' => Record,
        _ => List,
    };

    private static int ElementOf(char letter) => letter switch { 'I' => Int, 'M' => Long, 'T' => Text, _ => Record };

    /// <summary>What is known of a record: types of its fields, and what the records and lists of records among them look like.</summary>
    private sealed class Shape(string types, params (int Field, Shape Shape)[] inner)
    {
        public char TypeOf(int field) => field >= 1 && field <= types.Length ? types[field - 1] : '?';

        public Shape? Inner(int field) => Array.Find(inner, i => i.Field == field).Shape;
    }
}
