// Reading the handler once the function is ready: the assembly, under all its names.
using System;
using System.Collections.Generic;
using System.IO;
using System.Reflection;
using System.Reflection.PortableExecutable;
using System.Threading.Tasks;
using static Attempts;

static class Source
{
    static readonly string Handler = Assembly.GetExecutingAssembly().Location;

    static object FirstByte()
    {
        using var stream = File.OpenRead(Handler);
        return stream.ReadByte();
    }

    static object Metadata()
    {
        using var stream = File.OpenRead(Handler);
        return new PEReader(stream).HasMetadata;
    }

    static object Copied()
    {
        File.Copy(Handler, "/dev/null", true);
        return true;
    }

    // The lines' numbers are in the file beside the assembly, which is read for the first trace.
    static object Traced()
    {
        try
        {
            throw new InvalidOperationException();
        }
        catch (InvalidOperationException error)
        {
            return error.ToString().Contains("Source.cs:line ");
        }
    }

    public static readonly Dictionary<string, Func<Given, Task<object>>> All = new()
    {
        ["read"] = Now(_ => File.ReadAllBytes(Handler).Length),
        ["read-async"] = async _ => (await File.ReadAllBytesAsync(Handler)).Length,
        ["read-relative"] = Now(_ => File.ReadAllBytes(Path.GetFileName(Handler)).Length),
        ["read-proc-root"] = Now(_ => File.ReadAllBytes($"/proc/self/root{Handler}").Length),
        ["stream"] = Now(_ => FirstByte()),
        ["copy"] = Now(_ => Copied()),
        ["native-open"] = Now(_ => Native.Open(Handler, 0)),
        ["native-syscall"] = Now(_ => Native.OpenBySyscall(Handler, 0)),
        ["metadata"] = Now(_ => Metadata()),

        ["while-loading"] = Now(_ => Function.ReadWhileLoading),
        ["lazy-assembly"] = Now(_ => new System.Xml.Linq.XElement("a").ToString()),
        ["stack-trace"] = Now(_ => Traced()),
        ["symbols"] = Now(_ => File.ReadAllBytes(Path.ChangeExtension(Handler, ".pdb")).Length > 0),
        ["reflection"] = Now(_ => Assembly.GetExecutingAssembly().GetTypes().Length > 0),
        ["exists"] = Now(_ => File.Exists(Handler)),
        // Not stopped: the runtime keeps the assembly in memory.
        ["in-memory"] = Now(_ => typeof(Function).GetMethod("Main").GetMethodBody().GetILAsByteArray().Length),
    };
}
