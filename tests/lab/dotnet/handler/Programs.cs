// Every way that .NET has to start a program.
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Threading.Tasks;
using static Attempts;

static class Programs
{
    const string Echo = "/bin/echo", True = "/bin/true";

    static object Heard(ProcessStartInfo start)
    {
        start.RedirectStandardOutput = true;
        using var process = Process.Start(start);
        var said = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return said.Trim();
    }

    static object Ended(Process process)
    {
        using (process)
        {
            process.WaitForExit();
            return process.ExitCode;
        }
    }

    static object HeardWithoutEnvironment(string words)
    {
        var start = new ProcessStartInfo(Echo, words);
        start.Environment.Clear();
        return Heard(start);
    }

    // Its diagnostics would be files in /tmp, which are closed by now.
    static object HeardOfRuntime(string words)
    {
        var start = new ProcessStartInfo("/var/lang/bin/dotnet", $"exec Child.dll {words}");
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        return Heard(start);
    }

    static async Task<object> EndedLater(Process process)
    {
        using (process)
        {
            await process.WaitForExitAsync();
            return process.ExitCode;
        }
    }

    public static readonly Dictionary<string, Func<Given, Task<object>>> All = new()
    {
        ["start"] = Now(given => Ended(Process.Start(True, given.Name))),
        ["start-path"] = Now(given => Heard(new ProcessStartInfo("echo", given.Name))),
        ["redirect"] = Now(given => Heard(new ProcessStartInfo(Echo, given.Name))),
        ["directory"] = Now(given => Heard(new ProcessStartInfo(Echo, given.Name) { WorkingDirectory = "/" })),
        ["empty-environment"] = Now(given => HeardWithoutEnvironment(given.Name)),
        ["shell"] = Now(given => Heard(new ProcessStartInfo("/bin/sh", $"-c '{Echo} {given.Name}'"))),
        ["shell-execute"] = Now(given => Ended(Process.Start(new ProcessStartInfo(True) { UseShellExecute = true }))),
        ["runtime"] = Now(given => HeardOfRuntime(given.Name)),
        ["async"] = given => EndedLater(Process.Start(True, given.Name)),
        ["native-spawn"] = Now(_ => Native.Spawn(True)),
    };
}
