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

    private Foreign() {}

    public static void add(Map<String, Deed> deeds) {
        deeds.put("foreign_open", () -> {
            try (Arena arena = Arena.ofConfined()) {
                MethodHandle open = libc("open", FunctionDescriptor.of(INT, ValueLayout.ADDRESS, INT, INT), 2);
                MemorySegment state = arena.allocate(CAPTURED);
                int file = (int) open.invoke(state, arena.allocateFrom("/tmp/foreign_open"), 0101, 0600);
                return told("opened", file, state);
            }
        });
        deeds.put("foreign_syscall_open", () -> {
            try (Arena arena = Arena.ofConfined()) {
                FunctionDescriptor shape =
                    FunctionDescriptor.of(LONG, LONG, INT, ValueLayout.ADDRESS, INT, INT);
                MemorySegment state = arena.allocate(CAPTURED);
                long number = System.getProperty("os.arch").equals("amd64") ? 257 : 56; // openat
                MemorySegment path = arena.allocateFrom("/tmp/foreign_syscall_open");
                long file = (long) libc("syscall", shape, 1).invoke(state, number, -100, path, 0101, 0600);
                return told("opened", file, state);
            }
        });
        deeds.put("foreign_connect", () -> {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment state = arena.allocate(CAPTURED);
                int socket = (int) libc("socket", FunctionDescriptor.of(INT, INT, INT, INT), -1).invoke(state, 2, 1, 0);
                byte[] address = {2, 0, 0, 80, (byte) 203, 0, 113, 9, 0, 0, 0, 0, 0, 0, 0, 0};
                MemorySegment where = arena.allocateFrom(ValueLayout.JAVA_BYTE, address);
                MethodHandle connect = libc("connect", FunctionDescriptor.of(INT, INT, ValueLayout.ADDRESS, INT), -1);
                int result = (int) connect.invoke(state, socket, where, address.length);
                String said = told("connected", result, state);
                libc("close", FunctionDescriptor.of(INT, INT), -1).invoke(state, socket);
                return said;
            }
        });
        deeds.put("foreign_system", () -> {
            try (Arena arena = Arena.ofConfined()) {
                MethodHandle system = libc("system", FunctionDescriptor.of(INT, ValueLayout.ADDRESS), -1);
                int status = (int) system.invoke(arena.allocate(CAPTURED), arena.allocateFrom("exit 7"));
                if (status >> 8 != 7)
                    throw new IOException("status " + (status >> 8));
                return "a shell ran";
            }
        });
    }

    private static MethodHandle libc(String name, FunctionDescriptor shape, int firstVariadic) {
        MemorySegment function = LINKER.defaultLookup().find(name).orElseThrow();
        Linker.Option state = Linker.Option.captureCallState("errno");
        Linker.Option[] options = firstVariadic < 0
            ? new Linker.Option[] {state}
            : new Linker.Option[] {state, Linker.Option.firstVariadicArg(firstVariadic)};
        return LINKER.downcallHandle(function, shape, options);
    }

    private static String told(String what, long result, MemorySegment state) throws IOException {
        if (result < 0)
            throw new IOException("errno " + (int) ERRNO.get(state, 0L));
        return what;
    }
}
