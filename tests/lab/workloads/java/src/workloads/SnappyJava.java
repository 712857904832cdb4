package workloads;

import java.util.Map;
import org.xerial.snappy.Snappy;

/** Compresses, by native code. */
public final class SnappyJava {
    private SnappyJava() {}

    public static Map<String, Object> handle(Map<String, Object> event) {
        return Outcome.of(() -> {
            return new String(Snappy.uncompress(Snappy.compress("text".getBytes())));
        });
    }
}
