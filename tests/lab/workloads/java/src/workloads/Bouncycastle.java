package workloads;

import java.security.MessageDigest;
import java.security.Security;
import java.util.Map;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

/** Digests by its provider. */
public final class Bouncycastle {
    private Bouncycastle() {}

    public static Map<String, Object> handle(Map<String, Object> event) {
        return Outcome.of(() -> {
            Security.addProvider(new BouncyCastleProvider());
            return MessageDigest.getInstance("SHA3-256", "BC").digest("text".getBytes()).length;
        });
    }
}
