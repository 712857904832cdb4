import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Makes files in /tmp by Java's own ways, and says what is there. */
public class Clear {
    private static final Path TMP = Path.of("/tmp");

    static {
        try {
            Files.writeString(Files.createDirectories(TMP.resolve("init")).resolve("kept"), "initialization");
        } catch (IOException error) {
            throw new IllegalStateException(error);
        }
    }

    public Map<String, List<String>> handle(Map<String, Object> event) throws Exception {
        List<String> before = list();
        Files.move(Files.writeString(TMP.resolve("plain"), "user"), TMP.resolve("init/moved"));
        Files.writeString(Files.createDirectories(TMP.resolve("cache")).resolve("library"), "listed");
        if (new ProcessBuilder("/bin/sh", "-c", "echo user > /tmp/by-a-program").start().waitFor() != 0)
            throw new IOException("the program failed");
        return Map.of("before", before, "after", list());
    }

    private static List<String> list() throws IOException {
        try (Stream<Path> paths = Files.walk(TMP)) {
            return paths.skip(1).map(path -> TMP.relativize(path).toString()).collect(Collectors.toList());
        }
    }
}
