package workloads;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Map;

/** Writes and reads JSON. */
public final class JacksonDatabind {
    private JacksonDatabind() {}

    public static Map<String, Object> handle(Map<String, Object> event) {
        return Outcome.of(() -> {
            ObjectMapper mapper = new ObjectMapper();
            return mapper.readTree(mapper.writeValueAsString(Map.of("key", 1))).get("key");
        });
    }
}
