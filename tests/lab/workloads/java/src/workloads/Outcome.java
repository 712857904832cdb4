package workloads;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What a use of a library came to, as its handler says it. */
final class Outcome {
    private Outcome() {}

    interface Use {
        Object run() throws Throwable;
    }

    /** `done` with what the use gave, or `error` with the types of the error and of its causes. */
    static Map<String, Object> of(Use use) {
        try {
            return Map.of("done", String.valueOf(use.run()));
        } catch (Throwable error) {
            List<String> types = new ArrayList<>();
            List<String> texts = new ArrayList<>();
            for (Throwable each = error; each != null && types.size() < 10; each = each.getCause()) {
                types.add(each.getClass().getSimpleName());
                texts.add(each.toString());
            }
            String text = String.join(" | ", texts);
            return Map.of("error", types, "text", text.substring(0, Math.min(text.length(), 2000)));
        }
    }
}
