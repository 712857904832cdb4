import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Paths;
import sun.misc.Unsafe;

/** Reaches 203.0.113.9:80 by Java alone, on x86_64: Unsafe writes over a constant in the JIT's code. */
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
        byte[] address = {2, 0, 0, 80, (byte) 203, 0, 113, 9}, said = "arrived".getBytes();
        for (int i = 0; i < 16; i++) unsafe.putByte(memory + i, i < address.length ? address[i] : 0);
        for (int i = 0; i < said.length; i++) unsafe.putByte(memory + 32 + i, said[i]);
        long socket = run(41, 2, 1, 0);
        run(42, socket, memory, 16);
        System.out.println(run(1, socket, memory + 32, said.length));
    }
}
