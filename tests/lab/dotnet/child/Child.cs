// A program of .NET's that a function starts: a runtime of its own.
using System;

Console.WriteLine($"child {args[0]}");
