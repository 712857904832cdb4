package workloads;

import java.util.Map;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.core5.http.io.entity.EntityUtils;

/** Asks an API for JSON. */
public final class Httpclient5 {
    private Httpclient5() {}

    public static Map<String, Object> handle(Map<String, Object> event) {
        return Outcome.of(() -> {
            try (CloseableHttpClient client = HttpClients.createSystem()) {
                return client.execute(new HttpGet("https://api.example/"), response -> EntityUtils.toString(response.getEntity()));
            }
        });
    }
}
