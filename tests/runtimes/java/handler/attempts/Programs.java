package attempts;

import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** create_child_process: every way to start a program. */
final class Programs {
    private static final String ID = "/usr/bin/id";

    private Programs() {}

    private static String outputOf(ProcessBuilder builder) throws Exception {
        return outputOf(builder.start());
    }

    private static String outputOf(Process process) throws Exception {
        String said = new String(Deed.bytesOf(process.getInputStream())).trim();
        int status = process.waitFor();
        if (status != 0)
            throw new IOException("status " + status);
        return said;
    }

    static void add(Map<String, Deed> deeds) {
        deeds.put("process_builder", () -> outputOf(new ProcessBuilder(ID, "-u")));
        deeds.put("process_builder_on_path", () -> outputOf(new ProcessBuilder("id", "-u")));
        deeds.put("process_builder_empty_environment", () -> {
            ProcessBuilder builder = new ProcessBuilder(ID, "-u");
            builder.environment().clear();
            return outputOf(builder);
        });
        deeds.put("process_builder_empty_preload", () -> {
            ProcessBuilder builder = new ProcessBuilder(ID, "-u");
            builder.environment().put("LD_PRELOAD", "");
            return outputOf(builder);
        });
        deeds.put("process_builder_directory", () -> outputOf(
            new ProcessBuilder("./id", "-u").directory(new File("/usr/bin"))));
        deeds.put("process_builder_redirect", () -> outputOf(
            new ProcessBuilder(ID, "-u").redirectErrorStream(true).redirectInput(new File("/dev/null"))));
        deeds.put("process_builder_inherit", () -> String.valueOf(
            new ProcessBuilder("/usr/bin/true").redirectInput(Redirect.INHERIT)
                .redirectError(Redirect.INHERIT).start().waitFor()));
        deeds.put("process_pipeline", () -> {
            List<Process> all = ProcessBuilder.startPipeline(
                Arrays.asList(new ProcessBuilder(ID, "-u"), new ProcessBuilder("/usr/bin/cat")));
            return outputOf(all.get(1));
        });
        deeds.put("runtime_exec", () -> outputOf(Runtime.getRuntime().exec(new String[] {ID, "-u"})));
        deeds.put("runtime_exec_environment", () -> outputOf(
            Runtime.getRuntime().exec(new String[] {ID, "-u"}, new String[] {"A=b"}, new File("/"))));
        deeds.put("exit", () -> {
            new Thread(() -> System.exit(3)).start();
            Thread.sleep(60_000);
            return "still here";
        });
        deeds.put("shell", () -> outputOf(new ProcessBuilder("/bin/sh", "-c", "echo from a shell")));
    }
}
