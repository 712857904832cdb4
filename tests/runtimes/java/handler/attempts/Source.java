package attempts;

import java.io.FileInputStream;
import java.io.FileNotFoundException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Map;
import java.util.zip.ZipFile;

/** read_handler: every way to the handler's own class, once it is loaded. */
final class Source {
    private static final String CLASS = "/attempts/Handler.class";
    private static final Path FILE = Paths.get("/var/task" + CLASS);
    private static final String JAR = "/var/task/lib/handler.jar";

    /** What the runtime still may read, so that it can load the handler. */
    private static final String WHILE_LOADING = readNow();

    private Source() {}

    static void add(Map<String, Deed> deeds) {
        deeds.put("source_while_loading", () -> WHILE_LOADING);
        deeds.put("source_read", () -> magicOf(Files.readAllBytes(FILE)));
        deeds.put("source_stream", () -> magicOf(new FileInputStream(FILE.toFile())));
        deeds.put("source_through_proc", () -> magicOf(Files.readAllBytes(Paths.get("/proc/self/root" + FILE))));
        deeds.put("source_channel", () -> FileChannel.open(FILE).size() > 0 ? "CAFEBABE" : "empty");
        deeds.put("source_resource", () -> magicOf(Handler.class.getResourceAsStream(CLASS)));
        deeds.put("source_class_loader", Deed.with(
            () -> new URLClassLoader(new URL[] {new URL("file:/var/task/")}, null),
            loader -> Class.forName("attempts.Handler", false, loader) != Handler.class));
        deeds.put("jar_read", () -> String.valueOf(Files.readAllBytes(Paths.get(JAR)).length > 0));
        deeds.put("jar_zip_file", Deed.with(() -> new ZipFile(JAR), jar -> jar.size() > 0));
        deeds.put("jar_resource", () -> magicOf(Handler.class.getResourceAsStream(CLASS)));
        deeds.put("lazy_class", () -> Class.forName("attempts.Lazy").getMethod("greet").invoke(null).toString());
        deeds.put("lazy_resource", () -> new String(
            Deed.bytesOf(Source.class.getResourceAsStream("/attempts/greeting.txt"))).trim());
        deeds.put("stack_trace", () -> new Throwable().getStackTrace()[0].getFileName());
    }

    static String readNow() {
        try {
            return Files.exists(FILE) ? magicOf(Files.readAllBytes(FILE)) : magicOf(Files.readAllBytes(Paths.get(JAR)));
        } catch (Exception error) {
            return error.toString();
        }
    }

    private static String magicOf(InputStream stream) throws Exception {
        if (stream == null)
            throw new FileNotFoundException("no such resource");
        try (InputStream opened = stream) {
            return magicOf(Deed.bytesOf(opened));
        }
    }

    private static String magicOf(byte[] bytes) {
        return String.format("%02X%02X%02X%02X", bytes[0], bytes[1], bytes[2], bytes[3]);
    }
}
