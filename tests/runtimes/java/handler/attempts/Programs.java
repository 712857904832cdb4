package attempts;

import java.io.File;
import java.io.IOException;
import java.util.Arrays;
import java.util.Map;

/** create_child_process: every way to start a program. */
final class Programs {
    private static final String[] ID = {"/usr/bin/id", "-u"};

    private Programs() {}

    private static String outputOf(Process process) throws Exception {
        String said = new String(Deed.bytesOf(process.getInputStream())).trim();
        int status = process.waitFor();
        if (status != 0)
            throw new IOException("status " + status);
        return said;
    }

    static void add(Map<String, Deed> deeds) {
        deeds.put("process_builder", () -> outputOf(new ProcessBuilder(ID).start()));
        deeds.put("process_builder_on_path", () -> outputOf(new ProcessBuilder("id", "-u").start()));
        deeds.put("process_builder_empty_environment", () -> {
            ProcessBuilder builder = new ProcessBuilder(ID);
            builder.environment().clear();
            return outputOf(builder.start());
        });
        deeds.put("process_builder_directory", () -> outputOf(
            new ProcessBuilder("./id", "-u").directory(new File("/usr/bin")).start()));
        deeds.put("process_pipeline", () -> outputOf(ProcessBuilder.startPipeline(
            Arrays.asList(new ProcessBuilder(ID), new ProcessBuilder("/usr/bin/cat"))).get(1)));
        deeds.put("runtime_exec_environment", () -> outputOf(
            Runtime.getRuntime().exec(ID, new String[] {"A=b"}, new File("/"))));
        deeds.put("shell", () -> outputOf(new ProcessBuilder("/bin/sh", "-c", "echo from a shell").start()));
        deeds.put("exit", () -> {
            new Thread(() -> System.exit(3)).start();
            Thread.sleep(60_000);
            return "still here";
        });
    }
}
