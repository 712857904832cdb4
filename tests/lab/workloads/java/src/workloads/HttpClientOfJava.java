package workloads;

import java.util.Map;

/** Asks an API for JSON, by the client of the JDK. */
public final class HttpClientOfJava {
    private HttpClientOfJava() {}

    public static Map<String, Object> handle(Map<String, Object> event) {
        return Outcome.of(() -> {
            var request = java.net.http.HttpRequest.newBuilder(java.net.URI.create("https://api.example/")).build();
            return java.net.http.HttpClient.newHttpClient()
                    .send(request, java.net.http.HttpResponse.BodyHandlers.ofString()).body();
        });
    }
}
