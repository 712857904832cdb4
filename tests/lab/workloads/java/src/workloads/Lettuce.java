package workloads;

import io.lettuce.core.RedisClient;
import java.util.Map;

/** Sets and gets a key in Redis, over Netty. */
public final class Lettuce {
    private Lettuce() {}

    public static Map<String, Object> handle(Map<String, Object> event) {
        return Outcome.of(() -> {
            RedisClient client = RedisClient.create("redis://cache.example");
            try (var connection = client.connect()) {
                connection.sync().set("key", "value");
                return connection.sync().get("key");
            } finally {
                client.shutdown(0, 0, java.util.concurrent.TimeUnit.SECONDS);
            }
        });
    }
}
