package workloads;

import java.util.Map;

/** Computes a checksum, by native code. */
public final class AwsCrt {
    private AwsCrt() {}

    public static Map<String, Object> handle(Map<String, Object> event) {
        return Outcome.of(() -> {
            new software.amazon.awssdk.crt.CRT();
            var sum = new software.amazon.awssdk.crt.checksums.CRC32();
            sum.update("text".getBytes(), 0, 4);
            return sum.getValue();
        });
    }
}
