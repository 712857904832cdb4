package workloads;

import java.util.Map;
import org.apache.logging.log4j.LogManager;

/** Logs. */
public final class Log4j {
    private Log4j() {}

    public static Map<String, Object> handle(Map<String, Object> event) {
        return Outcome.of(() -> {
            LogManager.getLogger("workloads").error("failed", new IllegalStateException("for the log"));
            return "logged";
        });
    }
}
