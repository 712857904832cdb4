package workloads;

import java.util.Map;
import net.jpountz.lz4.LZ4Factory;

/** Compresses, by native code. */
public final class Lz4Java {
    private Lz4Java() {}

    public static Map<String, Object> handle(Map<String, Object> event) {
        return Outcome.of(() -> {
            LZ4Factory factory = LZ4Factory.nativeInstance();
            byte[] packed = factory.fastCompressor().compress("text".getBytes());
            return new String(factory.fastDecompressor().decompress(packed, 4));
        });
    }
}
