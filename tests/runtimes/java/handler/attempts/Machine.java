package attempts;

import java.io.IOException;
import java.util.Map;
import java.util.function.LongSupplier;

/** Native code: a library of the function's own, with system calls of its own that no libc is asked for. */
final class Machine {
    private static final int OPEN_NEW = 0101; // O_WRONLY | O_CREAT

    private Machine() {}

    static native long open(byte[] path, int flags);

    static native long connect(byte[] address, int port);

    static native long execute(byte[] path);

    static void add(Map<String, Deed> deeds) {
        deeds.put("native_open", done(() -> open(text("/tmp/native_open"), OPEN_NEW)));
        deeds.put("native_connect", done(() -> connect(new byte[] {(byte) 203, 0, 113, 9}, 80)));
        deeds.put("native_execute", done(() -> execute(text("/usr/bin/true"))));
        deeds.put("native_read_source", done(() -> open(text("/var/task/attempts/Handler.class"), 0)));
    }

    private static byte[] text(String path) {
        return (path + "\0").getBytes();
    }

    /** A system call that returns a descriptor or a status, or an errno below zero. */
    private static Deed done(LongSupplier call) {
        return () -> {
            System.load("/var/task/lib/libmachine.so");
            long result = call.getAsLong();
            if (result < 0)
                throw new IOException("errno " + -result);
            return "done";
        };
    }
}
