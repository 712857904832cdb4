package attempts;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Runs attempts by their names, and says of each what it brought or how it failed. */
public class Handler {
    private static final Map<String, Deed> DEEDS = new HashMap<>();

    static {
        Tmp.add(DEEDS);
        Network.add(DEEDS);
        Programs.add(DEEDS);
        Source.add(DEEDS);
        Snapshot.add(DEEDS);
        NettyWays.add(DEEDS);
        Stress.add(DEEDS);
        addForeign();
        DEEDS.put("what_the_agent_saw", () -> System.getProperty("agent"));
    }

    /**
     * Each of `{"attempts": [{"id": ..., "name": ...}]}` to `{"ok": ...}` or `{"error": {"message": "exception <- its cause ..."}}`, by
     * its id. A line of the log tells where each begins, on the way that alerts take too.
     */
    public Map<String, Object> handle(Map<String, Object> event) throws IOException {
        Map<String, Object> said = new LinkedHashMap<>();
        for (Object attempt : (List<?>) event.getOrDefault("attempts", Collections.emptyList())) {
            Map<?, ?> asked = (Map<?, ?>) attempt;
            mark("attempt " + asked.get("id"));
            said.put((String) asked.get("id"), run(DEEDS.get(asked.get("name"))));
        }
        mark("attempt");
        return said;
    }

    private static void mark(String line) throws IOException {
        new FileOutputStream(FileDescriptor.err).write((line + "\n").getBytes());
    }

    private static Map<String, ?> run(Deed deed) {
        try {
            return Collections.singletonMap("ok", deed.run());
        } catch (Throwable error) {
            StringBuilder said = new StringBuilder(error.toString());
            for (Throwable cause = error.getCause(); cause != null; cause = cause.getCause())
                said.append(" <- ").append(cause);
            return Collections.singletonMap("error", Collections.singletonMap("message", said.toString()));
        }
    }

    /** Attempts that only newer versions of Java compile. */
    private static void addForeign() {
        try {
            Class.forName("attempts.Foreign").getMethod("add", Map.class).invoke(null, DEEDS);
        } catch (UnsupportedClassVersionError | ClassNotFoundException older) {
            return;
        } catch (ReflectiveOperationException error) {
            throw new IllegalStateException(error);
        }
    }
}
