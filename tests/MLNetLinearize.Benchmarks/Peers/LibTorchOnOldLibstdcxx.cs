using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace MLNetLinearize.Benchmarks.Peers;

/// <summary>
/// Lets TorchSharp load where libstdc++ is older than GLIBCXX_3.4.32, as on Debian 12. Its glue library asks for that
/// version through one symbol that nothing calls, and which only the version check looks at; libtorch itself needs no more
/// than 3.4.30. The requirement is marked weak (one 16-bit field of the ELF file) in the copy beside the program.
/// </summary>
internal static class LibTorchOnOldLibstdcxx
{
    private const int ElfMagic = 0x464C457F;
    private const int Load = 1;
    private const int Dynamic = 2;
    private const long StringTable = 5;
    private const long VersionNeeds = 0x6FFFFFFE;
    private const long VersionNeedCount = 0x6FFFFFFF;
    private const ushort Weak = 2;

    private static readonly Version Newest = new(3, 4, 30);

    [ModuleInitializer]
    internal static void Apply()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64) return;
        foreach (var file in Directory.GetFiles(AppContext.BaseDirectory, "libLibTorchSharp.so", SearchOption.AllDirectories))
        {
            var image = File.ReadAllBytes(file);
            if (new ElfImage(image).Relax() == 0) continue;
            // A new file in its place: the old one may be a hard link into the package cache.
            var temporary = $"{file}.{Environment.ProcessId}.tmp";
            File.WriteAllBytes(temporary, image);
            File.Move(temporary, file, overwrite: true);
        }
    }

    /// <summary>Reads a 64-bit little-endian ELF file; names after the System V ABI and the Linux Standard Base's symbol versioning.</summary>
    private readonly struct ElfImage(byte[] bytes)
    {
        /// <summary>Marks requirements above <see cref="Newest"/> weak; gives their number.</summary>
        public int Relax()
        {
            if (bytes.Length < 64 || Int32(0) != ElfMagic || bytes[4] != 2 || bytes[5] != 1) throw new InvalidDataException("libLibTorchSharp.so is no 64-bit little-endian ELF file.");
            var tags = Tags();
            if (!tags.TryGetValue(VersionNeeds, out var address)) return 0;
            var (changed, need, strings) = (0, Offset(address), Offset(tags[StringTable]));
            for (var i = 0L; i < tags[VersionNeedCount]; i++)
            {
                var entry = need + Int32(need + 8);
                for (var k = 0; k < Int16(need + 2); k++)
                {
                    if (IsTooNew(Text(strings + Int32(entry + 8))) && (Int16(entry + 4) & Weak) == 0)
                    {
                        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(entry + 4), (ushort)(Int16(entry + 4) | Weak));
                        changed++;
                    }
                    entry += Int32(entry + 12);
                }
                need += Int32(need + 12);
            }
            return changed;
        }

        private static bool IsTooNew(string version) =>
            version.StartsWith("GLIBCXX_", StringComparison.Ordinal) && Version.TryParse(version.AsSpan(8), out var number) && number > Newest;

        private Dictionary<long, long> Tags()
        {
            var tags = new Dictionary<long, long>();
            var (offset, size) = Segments(Dynamic).Select(s => (s.Offset, s.Size)).Single();
            for (var at = offset; at < offset + size && Int64(at) != 0; at += 16) tags.TryAdd(Int64(at), Int64(at + 8));
            return tags;
        }

        private int Offset(long address)
        {
            var segment = Segments(Load).First(s => s.Address <= address && address < s.Address + s.Size);
            return (int)(address - segment.Address) + segment.Offset;
        }

        private List<(long Address, int Offset, int Size)> Segments(int type)
        {
            var found = new List<(long, int, int)>();
            for (var i = 0; i < Int16(56); i++)
            {
                var header = (int)Int64(32) + i * Int16(54);
                if (Int32(header) == type) found.Add((Int64(header + 16), (int)Int64(header + 8), (int)Int64(header + 32)));
            }
            return found;
        }

        private string Text(int at) => Encoding.ASCII.GetString(bytes, at, Array.IndexOf(bytes, (byte)0, at) - at);

        private ushort Int16(int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(at));

        private int Int32(int at) => BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at));

        private long Int64(int at) => BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(at));
    }
}
