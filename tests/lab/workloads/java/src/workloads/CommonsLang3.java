package workloads;

import java.util.Map;

/** Works on texts. */
public final class CommonsLang3 {
    private CommonsLang3() {}

    public static Map<String, Object> handle(Map<String, Object> event) {
        return Outcome.of(() -> {
            return org.apache.commons.lang3.StringUtils.capitalize("text");
        });
    }
}
