package attempts;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.Map;

/** Functions of libc called from Java itself (Java 22 and later). */
public final class Foreign {
    private static final Linker LINKER = Linker.nativeLinker();

    private Foreign() {}

    public static void add(Map<String, Deed> deeds) {
        deeds.put("foreign_open", () -> opened("/tmp/foreign_open"));
    }

    private static String opened(String path) throws Throwable {
        var captured = Linker.Option.captureStateLayout();
        VarHandle errno = captured.varHandle(MemoryLayout.PathElement.groupElement("errno"));
        var shape = FunctionDescriptor.of(
            ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT);
        MemorySegment function = LINKER.defaultLookup().find("open").orElseThrow();
        var open = LINKER.downcallHandle(
            function, shape, Linker.Option.captureCallState("errno"), Linker.Option.firstVariadicArg(2));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(captured);
            if ((int) open.invoke(state, arena.allocateFrom(path), 0101, 0600) < 0)
                throw new IOException("errno " + (int) errno.get(state, 0L));
        }
        return "opened";
    }
}
