import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** The same in Java. */
public class App {
    private static final Path CACHE = Path.of("/tmp/rates.json");

    public Map<String, Object> handle(Map<String, Object> event) throws Exception {
        URI address = URI.create("http://" + System.getenv("PROVIDER") + "/rates");
        String answer = HttpClient.newHttpClient()
            .send(HttpRequest.newBuilder(address).build(), HttpResponse.BodyHandlers.ofString()).body();
        Files.writeString(CACHE, answer);
        String kept = Files.readString(CACHE);
        Process program = new ProcessBuilder("/usr/bin/id", "-u").start();
        try (InputStream output = program.getInputStream()) {
            String said = new String(output.readAllBytes()).trim();
            return Map.of("rates", Map.of("EUR", kept.contains("\"EUR\": 1") ? 1 : 0), "program", said.matches("\\d+"));
        }
    }
}
