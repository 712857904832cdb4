package attempts;

import static attempts.Deed.with;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.File;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.AsynchronousFileChannel;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardWatchEventKinds;
import java.util.Map;

/** read_write_tmp: every way in which Java touches files. What an attempt needs there is ITS_NAME.old and ITS_NAME.folder. */
final class Tmp {
    private static final byte[] DATA = "data".getBytes();

    /** Where the JVM keeps its counters; the function has no business there. */
    private static final Path COUNTERS = Paths.get("/tmp/hsperfdata_function");
    private static final Path LIBRARY = Paths.get("/tmp/.libaws-lambda-jni.so");
    private static final String WHILE_LOADING = makeCounters();

    private Tmp() {}

    /** The first are the files that the runtime itself needs. */
    static void add(Map<String, Deed> deeds) {
        deeds.put("runtimes_counters_while_loading", () -> WHILE_LOADING);
        deeds.put("runtimes_counters", () -> Files.write(COUNTERS.resolve("2"), DATA).toString());
        deeds.put("runtimes_directory", () -> Files.createDirectory(Paths.get("/tmp/hsperfdata_later")).toString());
        deeds.put("runtimes_library_read", () -> String.valueOf(Files.readAllBytes(LIBRARY).length > 0));
        deeds.put("runtimes_library_changed", with(() -> FileChannel.open(LIBRARY, WRITE), FileChannel::isOpen));
        deeds.put("runtimes_other_library", () -> written(Files.write(Paths.get("/tmp/.libaws-lambda-jni.so.1"), DATA)));
        addOldFiles(deeds);
        addFiles(deeds);
    }

    private static String makeCounters() {
        try {
            Files.createDirectories(COUNTERS);
            return Files.write(COUNTERS.resolve("1"), DATA).toString();
        } catch (IOException error) {
            return error.toString();
        }
    }

    private static Path given(String name) {
        return Paths.get("/tmp", name + ".old");
    }

    private static Path fresh(String name) {
        return Paths.get("/tmp", name);
    }

    /** java.io.File says no by returning false, or null. */
    private static String yes(boolean result) throws IOException {
        if (!result)
            throw new IOException("said no");
        return "true";
    }

    private static String written(Path path) throws IOException {
        return path.toFile().length() + " bytes";
    }

    private static String textOf(Path path) throws IOException {
        return new String(Files.readAllBytes(path));
    }

    private static void addOldFiles(Map<String, Deed> deeds) {
        deeds.put("file_output_stream", with(() -> new FileOutputStream("/tmp/file_output_stream"), out -> {
            out.write(DATA);
            return out.getChannel().size();
        }));
        deeds.put("file_input_stream", with(
            () -> new FileInputStream("/tmp/file_input_stream.old"), in -> new String(Deed.bytesOf(in))));
        deeds.put("file_random_access", with(() -> new RandomAccessFile("/tmp/file_random_access", "rw"), file -> {
            file.writeInt(42);
            return file.length();
        }));
        deeds.put("file_create", () -> yes(new File("/tmp/file_create").createNewFile()));
        deeds.put("file_mkdir", () -> yes(new File("/tmp/file_mkdir").mkdir()));
        deeds.put("file_delete", () -> yes(new File("/tmp/file_delete.old").delete()));
        deeds.put("file_rename", () -> yes(new File("/tmp/file_rename.old").renameTo(new File("/tmp/file_rename"))));
        deeds.put("file_set_readonly", () -> yes(new File("/tmp/file_set_readonly.old").setReadOnly()));
        deeds.put("file_set_modified", () -> yes(new File("/tmp/file_set_modified.old").setLastModified(0)));
        deeds.put("file_list", () -> yes(new File("/tmp/file_list.folder").list() != null));
    }

    private static void addFiles(Map<String, Deed> deeds) {
        deeds.put("files_write", () -> written(Files.write(fresh("files_write"), DATA)));
        deeds.put("files_through_proc", () -> textOf(Paths.get("/proc/self/root/tmp/files_through_proc.old")));
        deeds.put("files_relative", () -> textOf(Paths.get("../../tmp/files_relative.old")));
        deeds.put("files_read", () -> textOf(given("files_read")));
        deeds.put("files_create_temp", () -> written(Files.createTempFile("files_create_temp-", null)));
        deeds.put("files_create_directory", () -> Files.createDirectory(fresh("files_create_directory")).toString());
        deeds.put("files_copy_in", () -> written(Files.copy(Paths.get("/etc/hosts"), fresh("files_copy_in"))));
        deeds.put("files_move", () -> written(
            Files.move(given("files_move"), fresh("files_move"), StandardCopyOption.ATOMIC_MOVE)));
        deeds.put("files_delete", () -> String.valueOf(Files.deleteIfExists(given("files_delete"))));
        deeds.put("files_link", () -> written(Files.createLink(fresh("files_link"), given("files_link"))));
        deeds.put("files_symlink", () -> Files.createSymbolicLink(fresh("files_symlink"), Paths.get("/etc")).toString());
        deeds.put("files_list", with(() -> Files.list(Paths.get("/tmp/files_list.folder")), found -> found.findAny().isPresent()));
        deeds.put("files_watch", with(
            () -> FileSystems.getDefault().newWatchService(),
            watch -> Paths.get("/tmp/files_watch.folder").register(watch, StandardWatchEventKinds.ENTRY_CREATE).isValid()));
        deeds.put("channel_write", with(
            () -> FileChannel.open(fresh("channel_write"), CREATE, WRITE), out -> out.write(ByteBuffer.wrap(DATA))));
        deeds.put("channel_transfer", with(
            () -> FileChannel.open(fresh("channel_transfer"), CREATE, WRITE),
            to -> with(() -> FileChannel.open(Paths.get("/etc/hosts")), from -> from.transferTo(0, 9, to)).run()));
        deeds.put("channel_map", with(() -> FileChannel.open(fresh("channel_map"), CREATE, READ, WRITE), channel -> {
            MappedByteBuffer mapped = channel.map(FileChannel.MapMode.READ_WRITE, 0, 4096);
            mapped.put(0, (byte) 1);
            mapped.force();
            return channel.size();
        }));
        deeds.put("channel_asynchronous", with(
            () -> AsynchronousFileChannel.open(fresh("channel_asynchronous"), CREATE, WRITE),
            channel -> channel.write(ByteBuffer.wrap(DATA), 0).get()));
    }
}
