import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.util.LinkedHashMap;
import java.util.Map;

/** Each option of ProcessBuilder, by a row: the listed program starts and ends with 7 if it was started as it was asked to. */
public class Spawn {
    interface Options {
        ProcessBuilder of(ProcessBuilder builder);
    }

    private static final File NULL = new File("/dev/null");
    private static final String[] IS_NULL = {"test /proc/self/fd/0 -ef /dev/null", "test /proc/self/fd/1 -ef /dev/null",
        "test /proc/self/fd/2 -ef /dev/null"};

    private static Object started(String script, Options options) throws InterruptedException {
        try {
            Process process = options.of(new ProcessBuilder("/bin/sh", "-c", script + " && exit 7")).start();
            process.getOutputStream().close();
            return process.waitFor();
        } catch (IOException error) {
            return error.getMessage();
        }
    }

    public Map<String, Object> handle(Map<String, Object> event) throws InterruptedException, IOException {
        Map<String, Object> found = new LinkedHashMap<>();
        found.put("defaults", started("true", b -> b));
        found.put("discard", started(IS_NULL[1] + " && " + IS_NULL[2],
            b -> b.redirectOutput(Redirect.DISCARD).redirectError(Redirect.DISCARD)));
        found.put("discard_output", started(IS_NULL[1], b -> b.redirectOutput(Redirect.DISCARD)));
        found.put("inherit", started("true", ProcessBuilder::inheritIO));
        found.put("inherit_error", started("true", b -> b.redirectError(Redirect.INHERIT)));
        found.put("from_file", started(IS_NULL[0], b -> b.redirectInput(NULL)));
        found.put("to_file", started(IS_NULL[1], b -> b.redirectOutput(NULL)));
        found.put("append", started(IS_NULL[2], b -> b.redirectError(Redirect.appendTo(NULL))));
        found.put("error_stream", started("true", b -> b.redirectErrorStream(true)));
        found.put("error_stream_discarded", started(IS_NULL[2],
            b -> b.redirectErrorStream(true).redirectOutput(Redirect.DISCARD)));
        found.put("directory", started("test \"$PWD\" = /var/task", b -> b.directory(new File("/var/task"))));
        found.put("directory_discarded", started(IS_NULL[1],
            b -> b.directory(new File("/")).redirectOutput(Redirect.DISCARD)));
        found.put("directory_missing", started("true", b -> b.directory(new File("/missing"))));
        found.put("environment", started("test \"$ONLY\" = this", b -> {
            b.environment().clear();
            b.environment().put("ONLY", "this");
            return b;
        }));
        found.put("on_path", started("true", b -> b.command("sh", "-c", "exit 7")));
        found.put("pipeline", ProcessBuilder.startPipeline(java.util.List.of(new ProcessBuilder("/bin/sh", "-c", "exit 7"),
            new ProcessBuilder("/bin/sh", "-c", "exit 7").redirectOutput(Redirect.DISCARD))).get(1).waitFor());
        found.put("exec", Runtime.getRuntime().exec(new String[] {"/bin/sh", "-c", "exit 7"}, null, new File("/")).waitFor());
        return found;
    }
}
