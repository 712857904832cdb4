// Runs attempts one after the other, and says of each what it came to: {ok: evidence} or {error: {...}}.
//
// A line on stderr goes before each attempt: what the shield writes after it belongs to that attempt.
using System;
using System.Collections.Generic;
using System.ComponentModel;
using System.Net.Sockets;
using System.Text.Json;
using System.Threading.Tasks;

// What an attempt is given: names that are its own, so that whoever looks from outside knows whose deed it was.
record Given(string Name)
{
    public string File => $"/tmp/{Name}";
    public string Host => $"{Name}.evil.example";
}

static class Attempts
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    static readonly Dictionary<string, Dictionary<string, Func<Given, Task<object>>>> Sections = new()
    {
        ["files"] = Files.All, ["network"] = Network.All, ["programs"] = Programs.All, ["source"] = Source.All,
        ["diagnostics"] = Diagnostics.All,
    };

    // For deeds that wait for nothing.
    public static Func<Given, Task<object>> Now(Func<Given, object> deed) => given => Task.FromResult(deed(given));

    public static async Task<Dictionary<string, object>> Run(JsonElement attempts)
    {
        var results = new Dictionary<string, object>();
        foreach (var attempt in attempts.EnumerateArray())
        {
            string Told(string name) => attempt.GetProperty(name).GetString();
            Console.Error.WriteLine($"attempt {Told("id")}");
            results[Told("id")] = await InTime(Sections[Told("section")][Told("name")], new Given(Told("id")));
        }
        Console.Error.WriteLine("attempt");
        return results;
    }

    static async Task<object> InTime(Func<Given, Task<object>> deed, Given given)
    {
        try
        {
            var done = Task.Run(() => deed(given));
            if (await Task.WhenAny(done, Task.Delay(Patience)) != done) throw new TimeoutException("no answer");
            return new { ok = await done };
        }
        catch (Exception error)
        {
            return new { error = new { code = Code(error), message = error.ToString() } };
        }
    }

    // The error of the system where there is one behind it, else what .NET calls it.
    static string Code(Exception error)
    {
        for (var cause = error; cause != null; cause = cause.InnerException)
        {
            if (cause is SocketException { SocketErrorCode: var code }) return $"SocketException {code}";
            if (cause is Win32Exception { NativeErrorCode: var errno and not 0 }) return $"Win32Exception {errno}";
        }
        return error.GetType().Name;
    }
}
