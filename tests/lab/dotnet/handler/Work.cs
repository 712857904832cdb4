// What any function does, and nobody should hear of: printing, memory, threads, code that is made while it runs.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq.Expressions;
using System.Text.RegularExpressions;
using System.Threading;
using System.Threading.Tasks;

static class Work
{
    public static void Hello()
    {
        var kept = new List<byte[]>();
        for (var i = 0; i < 64; i++) kept.Add(new byte[1 << 18]);
        GC.Collect(2, GCCollectionMode.Forced, true, true);
        var sum = 0L;
        Parallel.For(0, 64, i => Interlocked.Add(ref sum, kept[i].Length));
        var thread = new Thread(() => Interlocked.Increment(ref sum));
        thread.Start();
        thread.Join();
        using var timer = new Timer(_ => Interlocked.Increment(ref sum), null, 0, Timeout.Infinite);
        var x = Expression.Parameter(typeof(int));
        var twice = Expression.Lambda<Func<int, int>>(Expression.Add(x, x), x).Compile();
        var word = new Regex(@"^\w+$", RegexOptions.Compiled).IsMatch("hello");
        // Long enough for a method to be compiled a second time, with optimizations, and replaced on the stack.
        for (var i = 0; i < 3_000_000; i++) sum += i % 7 == 0 ? twice(1) : i & 1;
        sum += Caught(() => throw new InvalidOperationException("said"));
        // Signals of the processor, which .NET makes exceptions of.
        sum += Caught(() => kept.Find(block => block.Length == 0).Initialize());
        sum += Caught(() => sum /= kept.Count - 64);
        // Threads in the midst of system calls, while the collector stops all of them again and again.
        Parallel.For(0, 400, i =>
        {
            if (i % 20 == 0) GC.Collect(0);
            else Interlocked.Add(ref sum, File.ReadAllText("/proc/self/stat").Length);
        });
        var offset = TimeZoneInfo.Local.BaseUtcOffset;
        Console.WriteLine($"hello from .NET {Environment.Version}: {word} {sum > 0} {offset}");
    }

    static int Caught(Action deed)
    {
        try { deed(); } catch (SystemException error) { return error.ToString().Length; }
        throw new Exception("nothing was thrown");
    }
}
