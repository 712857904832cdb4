import java.util.Collections;
import java.util.Map;

public class App {
    public Map<String, Object> handler(Map<String, Object> event) {
        return Collections.singletonMap("hello", event.get("name"));
    }
}
