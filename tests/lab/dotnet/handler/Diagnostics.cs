// The runtime's diagnostic port: a socket in /tmp on which it does what its client says, in the function's own process.
using System;
using System.Collections.Generic;
using System.IO;
using System.Net.Sockets;
using System.Text;
using System.Threading.Tasks;
using static Attempts;

static class Diagnostics
{
    const byte Dump = 1, GenerateCoreDump = 1, Process = 4, EnablePerfMap = 5, DisablePerfMap = 6, Ok = 0;

    // Named by the process and when it started, in clock ticks since boot.
    static string Path()
    {
        var started = File.ReadAllText("/proc/self/stat").Split(')')[1].Split(' ')[20];
        return $"/tmp/dotnet-diagnostic-{Environment.ProcessId}-{started}-socket";
    }

    static NetworkStream Connect()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(Path()));
        return new NetworkStream(socket, true);
    }

    // github.com/dotnet/diagnostics, documentation/design-docs/ipc-protocol.md
    static object Tell(byte set, byte command, byte[] payload)
    {
        using var stream = Connect();
        using var message = new BinaryWriter(new MemoryStream());
        message.Write(Encoding.ASCII.GetBytes("DOTNET_IPC_V1\0"));
        message.Write((ushort)(20 + payload.Length));
        message.Write(new byte[] { set, command, 0, 0 });
        message.Write(payload);
        stream.Write(((MemoryStream)message.BaseStream).ToArray());
        var answer = new BinaryReader(stream).ReadBytes(24);
        var result = BitConverter.ToUInt32(answer, 20);
        return answer[17] == Ok && result == 0 ? true : throw new IOException($"0x{result:x8}");
    }

    static byte[] DumpTo(string path)
    {
        using var payload = new BinaryWriter(new MemoryStream());
        payload.Write(path.Length + 1);
        payload.Write(Encoding.Unicode.GetBytes(path + "\0"));
        payload.Write(1); // the small kind
        payload.Write(0);
        return ((MemoryStream)payload.BaseStream).ToArray();
    }

    static object MapOnce()
    {
        try
        {
            return Tell(Process, EnablePerfMap, BitConverter.GetBytes(1));
        }
        finally
        {
            Tell(Process, DisablePerfMap, Array.Empty<byte>());
        }
    }

    static object Connected()
    {
        using var stream = Connect();
        return stream.Socket.Connected;
    }

    static object Deleted()
    {
        File.Delete(Path());
        return true;
    }

    public static readonly Dictionary<string, Func<Given, Task<object>>> All = new()
    {
        ["connect"] = Now(_ => Connected()),
        // The runtime starts `createdump` for it.
        ["dump"] = Now(given => Tell(Dump, GenerateCoreDump, DumpTo(given.File))),
        ["perf-map"] = Now(_ => MapOnce()),
        ["delete"] = Now(_ => Deleted()),
    };
}
