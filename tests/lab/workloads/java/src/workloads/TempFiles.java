package workloads;

import java.util.Map;

/** Makes temporary files, as the JDK does. */
public final class TempFiles {
    private TempFiles() {}

    public static Map<String, Object> handle(Map<String, Object> event) {
        return Outcome.of(() -> {
            var file = java.nio.file.Files.createTempFile("work", ".txt");
            java.nio.file.Files.writeString(file, "text");
            String found = java.nio.file.Files.readString(file);
            java.nio.file.Files.delete(file);
            return found;
        });
    }
}
