package workloads;

import java.util.Map;

/** Loads its TLS library. */
public final class NettyTcnative {
    private NettyTcnative() {}

    public static Map<String, Object> handle(Map<String, Object> event) {
        return Outcome.of(() -> {
            io.netty.handler.ssl.OpenSsl.ensureAvailability();
            return "available";
        });
    }
}
