package workloads;

import com.github.luben.zstd.Zstd;
import java.util.Map;

/** Compresses, by native code. */
public final class ZstdJni {
    private ZstdJni() {}

    public static Map<String, Object> handle(Map<String, Object> event) {
        return Outcome.of(() -> {
            return new String(Zstd.decompress(Zstd.compress("text".getBytes()), 4));
        });
    }
}
