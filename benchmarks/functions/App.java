import java.util.Map;

public class App {
    public Map<String, Object> handler(Map<String, Object> event) {
        return Map.of("hello", event.get("name"));
    }
}
