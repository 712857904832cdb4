package workloads;

import java.util.Map;
import org.apache.commons.io.FileUtils;

/** Writes and reads a file in /tmp. */
public final class CommonsIo {
    private CommonsIo() {}

    public static Map<String, Object> handle(Map<String, Object> event) {
        return Outcome.of(() -> {
            var file = new java.io.File("/tmp/commons/file.txt");
            FileUtils.writeStringToFile(file, "text", "UTF-8");
            return FileUtils.readFileToString(file, "UTF-8");
        });
    }
}
