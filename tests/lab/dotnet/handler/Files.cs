// Every way that .NET has to use files in /tmp. What is there already: /tmp/there, and for each attempt its own `.old`
// and `.folder`.
using System;
using System.Collections.Generic;
using System.IO;
using System.IO.Compression;
using System.IO.MemoryMappedFiles;
using System.IO.Pipes;
using System.Linq;
using System.Net.Sockets;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;
using static Attempts;

static class Files
{
    const string There = "/tmp/there", Text = "text";

    static Func<Given, Task<object>> Do(Action<Given> deed) => given =>
    {
        deed(given);
        return Task.FromResult<object>(true);
    };

    static async Task<object> WriteLater(string path)
    {
        await File.WriteAllTextAsync(path, Text);
        return true;
    }

    static void WriteStream(string path, FileOptions options = FileOptions.None)
    {
        using var stream = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 1, options);
        stream.WriteByte(1);
    }

    static void WriteWithWriter(string path)
    {
        using var writer = new StreamWriter(path);
        writer.Write(Text);
    }

    static void WriteByHandle(string path)
    {
        using var handle = File.OpenHandle(path, FileMode.Create, FileAccess.Write);
        RandomAccess.Write(handle, new byte[] { 1 }, 0);
    }

    static void WriteMapped(string path)
    {
        using var mapped = MemoryMappedFile.CreateFromFile(path, FileMode.Create, null, 4096);
        using var view = mapped.CreateViewAccessor();
        view.Write(0, 1);
    }

    static void WriteZip(string path)
    {
        using var archive = ZipFile.Open(path, ZipArchiveMode.Create);
        archive.CreateEntry("entry");
    }

    static void WriteAndMove(string path, string to)
    {
        File.WriteAllText(path, Text);
        File.Move(path, to);
    }

    static void Listen(string path)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
    }

    public static readonly Dictionary<string, Func<Given, Task<object>>> All = new()
    {
        ["write-text"] = Do(given => File.WriteAllText(given.File, Text)),
        ["write-async"] = given => WriteLater(given.File),
        ["write-dots"] = Do(given => File.WriteAllText($"/var/task/../../tmp/{given.Name}", Text)),
        ["write-relative"] = Do(given => File.WriteAllText($"../../tmp/{given.Name}", Text)),
        ["write-proc-root"] = Do(given => File.WriteAllText($"/proc/self/root/tmp/{given.Name}", Text)),
        ["append-text"] = Do(given => File.AppendAllText(given.File, Text)),
        ["stream"] = Do(given => WriteStream(given.File)),
        ["stream-writer"] = Do(given => WriteWithWriter(given.File)),
        ["handle"] = Do(given => WriteByHandle(given.File)),
        ["delete-on-close"] = Do(given => WriteStream(given.File, FileOptions.DeleteOnClose)),
        ["mapped"] = Do(given => WriteMapped(given.File)),
        ["zip"] = Do(given => WriteZip(given.File)),
        ["copy-in"] = Do(given => File.Copy("/etc/hosts", given.File)),
        ["create-directory"] = Do(given => Directory.CreateDirectory(given.File)),
        ["symlink"] = Do(given => File.CreateSymbolicLink(given.File, "/etc/hosts")),
        ["temp-file"] = Do(given => File.Move(Path.GetTempFileName(), given.File)),
        ["temp-directory"] = Do(given => Directory.CreateTempSubdirectory($"{given.Name}-")),
        ["unix-socket"] = Do(given => Listen(given.File)),
        // .NET makes files of both.
        ["named-mutex"] = Do(given => new Mutex(false, given.Name).Dispose()),
        ["named-pipe"] = Do(given => new NamedPipeServerStream(given.Name).Dispose()),
        // What the runtime itself needs there is closed once it has started.
        ["runtimes-socket"] = Do(given => WriteAndMove("/tmp/dotnet-diagnostic-1-2-socket", given.File)),
        ["runtimes-pipe"] = Do(given => WriteAndMove("/tmp/clr-debug-pipe-1-2-in", given.File)),
        ["native-open"] = Do(given => Native.Open(given.File, Native.Write | Native.Create)),
        ["native-syscall"] = Do(given => Native.OpenBySyscall(given.File, Native.Write | Native.Create)),

        ["read-text"] = Now(_ => File.ReadAllText(There)),
        ["read-async"] = async _ => await File.ReadAllTextAsync(There),
        ["read-lines"] = Now(_ => File.ReadLines(There).Count()),
        ["read-mapped"] = Do(_ => MemoryMappedFile.CreateFromFile(There, FileMode.Open).Dispose()),
        ["copy-out"] = Do(_ => File.Copy(There, "/dev/null", true)),
        ["mode"] = Do(_ => File.SetUnixFileMode(There, UnixFileMode.UserRead | UnixFileMode.UserWrite)),
        ["modified"] = Do(_ => File.SetLastWriteTimeUtc(There, DateTime.UnixEpoch)),
        ["assembly"] = Now(_ => Assembly.LoadFile("/tmp/there.dll").GetName().Name),
        ["library"] = Do(_ => NativeLibrary.Free(NativeLibrary.Load("/tmp/there.so"))),
        ["move"] = Do(given => File.Move($"{given.File}.old", given.File)),
        ["delete"] = Do(given => File.Delete($"{given.File}.old")),
        ["delete-recursive"] = Do(given => Directory.Delete($"{given.File}.folder", true)),
        ["list"] = Now(_ => Directory.GetFiles("/tmp").Length > 0),

        // Nothing is read or written.
        ["exists"] = Now(_ => File.Exists(There)),
        ["length"] = Now(_ => new FileInfo(There).Length),
        ["elsewhere"] = Now(_ => File.ReadAllText("/etc/hosts").Length > 0),
    };
}
