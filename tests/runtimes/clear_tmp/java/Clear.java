import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Makes files in /tmp by Java's own ways, and says what is there. */
public class Clear {
    static {
        try {
            Files.createDirectories(Path.of("/tmp/init"));
            Files.writeString(Path.of("/tmp/init/kept"), "initialization");
        } catch (IOException error) {
            throw new IllegalStateException(error);
        }
    }

    public Map<String, List<String>> handle(Map<String, Object> event) throws IOException, InterruptedException {
        List<String> before = list();
        if (Boolean.TRUE.equals(event.get("make")))
            make();
        return Map.of("before", before, "after", list());
    }

    private static void make() throws IOException, InterruptedException {
        File.createTempFile("file-", null);
        Files.writeString(Files.createTempFile("file-", ".txt"), "user");
        Files.writeString(Files.createTempDirectory("folder-").resolve("file"), "user");
        try (FileOutputStream stream = new FileOutputStream("/tmp/stream")) {
            stream.write(1);
        }
        try (FileChannel channel =
                FileChannel.open(Path.of("/tmp/channel"), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            channel.force(true);
        }
        Files.writeString(Path.of("/tmp/moved"), "user");
        Files.move(Path.of("/tmp/moved"), Path.of("/tmp/init/moved"), StandardCopyOption.ATOMIC_MOVE);
        Files.createLink(Path.of("/tmp/linked"), Path.of("/tmp/stream"));
        Files.createSymbolicLink(Path.of("/tmp/symbolic"), Path.of("/tmp/init"));
        Files.createDirectories(Path.of("/tmp/cache"));
        Files.writeString(Path.of("/tmp/cache/library"), "listed");
        Process program = new ProcessBuilder("/bin/sh", "-c", "echo user > /tmp/by-a-program").start();
        if (program.waitFor() != 0)
            throw new IOException("status " + program.exitValue());
        Thread thread = new Thread(() -> new File("/tmp/by-a-thread").mkdir());
        thread.start();
        thread.join();
    }

    private static List<String> list() throws IOException {
        try (Stream<Path> paths = Files.walk(Path.of("/tmp"))) {
            return paths.map(path -> path.toString().substring("/tmp".length())).filter(name -> !name.isEmpty())
                    .map(name -> name.substring(1)).sorted().collect(Collectors.toList());
        }
    }
}
