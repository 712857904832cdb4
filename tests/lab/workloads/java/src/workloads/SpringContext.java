package workloads;

import java.util.Map;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;

/** Starts a context, and asks for a bean. */
public final class SpringContext {
    private SpringContext() {}

    public static Map<String, Object> handle(Map<String, Object> event) {
        return Outcome.of(() -> {
            try (var context = new AnnotationConfigApplicationContext()) {
                context.registerBean(String.class, () -> "bean");
                context.refresh();
                return context.getBean(String.class);
            }
        });
    }
}
