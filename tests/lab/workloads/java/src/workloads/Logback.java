package workloads;

import java.util.Map;
import org.slf4j.LoggerFactory;

/** Logs. */
public final class Logback {
    private Logback() {}

    public static Map<String, Object> handle(Map<String, Object> event) {
        return Outcome.of(() -> {
            LoggerFactory.getLogger("workloads").error("failed", new IllegalStateException("for the log"));
            return "logged";
        });
    }
}
