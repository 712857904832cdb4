package workloads;

import java.util.Map;

/** Reads a page. */
public final class Jsoup {
    private Jsoup() {}

    public static Map<String, Object> handle(Map<String, Object> event) {
        return Outcome.of(() -> {
            return org.jsoup.Jsoup.parse("<p>one<p>two").select("p").last().text();
        });
    }
}
