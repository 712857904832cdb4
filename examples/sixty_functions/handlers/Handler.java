import java.util.Map;

/** The functions in Java; `javac` compiles it beside this file. */
public class Handler {
    public Map<String, Object> handleRequest(Map<String, Object> event) {
        return Map.of("statusCode", 200, "body", "{}");
    }
}
