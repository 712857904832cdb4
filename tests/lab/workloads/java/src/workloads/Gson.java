package workloads;

import java.util.Map;

/** Writes and reads JSON. */
public final class Gson {
    private Gson() {}

    public static Map<String, Object> handle(Map<String, Object> event) {
        return Outcome.of(() -> {
            com.google.gson.Gson gson = new com.google.gson.Gson();
            return gson.fromJson(gson.toJson(Map.of("key", 1)), Map.class);
        });
    }
}
