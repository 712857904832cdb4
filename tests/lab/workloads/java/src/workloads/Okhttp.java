package workloads;

import java.util.Map;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;

/** Asks an API for JSON. */
public final class Okhttp {
    private Okhttp() {}

    public static Map<String, Object> handle(Map<String, Object> event) {
        return Outcome.of(() -> {
            OkHttpClient client = new OkHttpClient();
            try (Response response = client.newCall(new Request.Builder().url("https://api.example/").build()).execute()) {
                return response.body().string();
            }
        });
    }
}
