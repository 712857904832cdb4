package workloads;

import java.util.Map;

/** Sets and gets a key in Redis. */
public final class Jedis {
    private Jedis() {}

    public static Map<String, Object> handle(Map<String, Object> event) {
        return Outcome.of(() -> {
            try (var client = new redis.clients.jedis.Jedis("cache.example", 6379)) {
                client.set("key", "value");
                return client.get("key");
            }
        });
    }
}
