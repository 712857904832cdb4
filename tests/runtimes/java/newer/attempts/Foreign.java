package attempts;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.util.Map;

/** Functions of libc called from Java itself (Java 22 and later), `syscall` among them. */
public final class Foreign {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final Linker LINKER = Linker.nativeLinker();
    private static final StructLayout CAPTURED = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO = CAPTURED.varHandle(MemoryLayout.PathElement.groupElement("errno"));
    private static final Arena ARENA = Arena.global();
    private static final MemorySegment STATE = ARENA.allocate(CAPTURED);

    private Foreign() {}

    public static void add(Map<String, Deed> deeds) {
        deeds.put("foreign_open", () -> {
            MethodHandle open = libc("open", FunctionDescriptor.of(INT, ValueLayout.ADDRESS, INT, INT), 2);
            return told("opened", (int) open.invoke(STATE, ARENA.allocateFrom("/tmp/foreign_open"), 0101, 0600));
        });
        deeds.put("foreign_syscall_open", () -> {
            FunctionDescriptor shape = FunctionDescriptor.of(LONG, LONG, INT, ValueLayout.ADDRESS, INT, INT);
            long number = System.getProperty("os.arch").equals("amd64") ? 257 : 56; // openat
            MemorySegment path = ARENA.allocateFrom("/tmp/foreign_syscall_open");
            return told("opened", (long) libc("syscall", shape, 1).invoke(STATE, number, -100, path, 0101, 0600));
        });
        deeds.put("foreign_connect", () -> {
            int socket = (int) libc("socket", FunctionDescriptor.of(INT, INT, INT, INT), -1).invoke(STATE, 2, 1, 0);
            byte[] address = {2, 0, 0, 80, (byte) 203, 0, 113, 9, 0, 0, 0, 0, 0, 0, 0, 0};
            MemorySegment where = ARENA.allocateFrom(ValueLayout.JAVA_BYTE, address);
            MethodHandle connect = libc("connect", FunctionDescriptor.of(INT, INT, ValueLayout.ADDRESS, INT), -1);
            return told("connected", (int) connect.invoke(STATE, socket, where, address.length));
        });
        deeds.put("foreign_system", () -> {
            MethodHandle system = libc("system", FunctionDescriptor.of(INT, ValueLayout.ADDRESS), -1);
            int status = (int) system.invoke(STATE, ARENA.allocateFrom("exit 7"));
            if (status >> 8 != 7)
                throw new IOException("status " + (status >> 8));
            return "a shell ran";
        });
    }

    private static MethodHandle libc(String name, FunctionDescriptor shape, int firstVariadic) {
        MemorySegment function = LINKER.defaultLookup().find(name).orElseThrow();
        Linker.Option state = Linker.Option.captureCallState("errno");
        return firstVariadic < 0
            ? LINKER.downcallHandle(function, shape, state)
            : LINKER.downcallHandle(function, shape, state, Linker.Option.firstVariadicArg(firstVariadic));
    }

    private static String told(String what, long result) throws IOException {
        if (result < 0)
            throw new IOException("errno " + (int) ERRNO.get(STATE, 0L));
        return what;
    }
}
