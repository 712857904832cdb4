package workloads;

import com.sun.jna.Library;
import com.sun.jna.Native;
import java.util.Map;

/** Calls a function of C's library. */
public final class Jna {
    private Jna() {}

    /** What C's library has. */
    public interface C extends Library {
        int abs(int number);
    }

    public static Map<String, Object> handle(Map<String, Object> event) {
        return Outcome.of(() -> {
            return Native.load("c", C.class).abs(-42);
        });
    }
}
