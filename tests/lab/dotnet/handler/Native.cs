// Calls of libc without the class library in between.
using System;
using System.ComponentModel;
using System.Runtime.InteropServices;

static class Native
{
    public const int Write = 1, Create = 0x40;

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    static extern int open(string path, int flags, int mode);

    [DllImport("libc", EntryPoint = "syscall", SetLastError = true)]
    static extern nint syscall(nint number, nint a, string path, nint c, nint d);

    [DllImport("libc", EntryPoint = "posix_spawn")]
    static extern int posix_spawn(
        out int child, string path, nint actions, nint attributes, string[] words, string[] environment);

    [DllImport("libc", EntryPoint = "waitpid", SetLastError = true)]
    static extern int waitpid(int child, out int status, int options);

    [DllImport("libc", EntryPoint = "close")]
    static extern int close(int descriptor);

    public static object Open(string path, int flags) => Closed(open(path, flags, 384));

    // openat's numbers of the architectures; -100: from the working directory.
    public static object OpenBySyscall(string path, int flags)
    {
        var openat = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 56 : 257;
        return Closed((int)syscall(openat, -100, path, flags, 384));
    }

    public static object Spawn(string path)
    {
        var error = posix_spawn(out var child, path, 0, 0, new[] { path, null }, new string[] { null });
        if (error != 0) throw new Win32Exception(error);
        waitpid(child, out var status, 0);
        return status;
    }

    static object Closed(int descriptor)
    {
        if (descriptor < 0) throw new Win32Exception(Marshal.GetLastWin32Error());
        return close(descriptor);
    }
}
