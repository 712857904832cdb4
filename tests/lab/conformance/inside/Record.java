import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/**
 * Runs JUnit's tests of some classes and writes each test's outcome to a file: {@code java Record FILE CLASS...}.
 *
 * <p>One JSON line for each test as it begins and as it ends, so that a crash does not take the outcomes before it
 * along. A container that fails (a class whose preparation does) counts as a test.
 */
public final class Record implements TestExecutionListener {
    private static final int LONGEST_TEXT = 6000;

    private final OutputStream record;

    private Record(OutputStream record) {
        this.record = record;
    }

    /** Ends with status 0 whatever the tests come to, and does not wait for threads that they left. */
    public static void main(String[] arguments) throws IOException {
        List<DiscoverySelector> classes = new ArrayList<>();
        for (String name : Arrays.copyOfRange(arguments, 1, arguments.length)) {
            classes.add(DiscoverySelectors.selectClass(name));
        }
        try (OutputStream record = new FileOutputStream(arguments[0], true)) {
            LauncherFactory.create()
                    .execute(
                            LauncherDiscoveryRequestBuilder.request().selectors(classes).build(), new Record(record));
        }
        System.exit(0);
    }

    @Override
    public void executionStarted(TestIdentifier test) {
        if (test.isTest()) {
            write(test, "did not end", "");
        }
    }

    @Override
    public void executionSkipped(TestIdentifier test, String reason) {
        write(test, "skipped", reason);
    }

    @Override
    public void executionFinished(TestIdentifier test, TestExecutionResult result) {
        String outcome = "passed";
        if (result.getStatus() == TestExecutionResult.Status.FAILED) {
            outcome = "failed";
        } else if (result.getStatus() == TestExecutionResult.Status.ABORTED) {
            outcome = "skipped";
        }
        if (test.isTest() || !outcome.equals("passed")) {
            write(test, outcome, result.getThrowable().map(Record::trace).orElse(""));
        }
    }

    /** Class and method, and the number of the invocation where a method runs several times. */
    private static String name(TestIdentifier test) {
        String id = test.getUniqueId();
        String invocation = id.contains("-invocation:#") ? id.substring(id.lastIndexOf('#')).replace("]", "") : "";
        return test.getSource()
                .filter(MethodSource.class::isInstance)
                .map(MethodSource.class::cast)
                .map(source -> classOf(id, source.getClassName()) + "." + source.getMethodName() + invocation)
                .orElse(id);
    }

    /** A method that is inherited runs once for each class that inherits it. */
    private static String classOf(String id, String declaring) {
        int begin = id.indexOf("[class:");
        return begin < 0 ? declaring : id.substring(begin + "[class:".length(), id.indexOf(']', begin));
    }

    private static String trace(Throwable error) {
        StringWriter text = new StringWriter();
        error.printStackTrace(new PrintWriter(text));
        return text.toString();
    }

    private synchronized void write(TestIdentifier test, String outcome, String text) {
        String line = String.format("{\"id\":%s,\"outcome\":%s,\"text\":%s}%n", json(name(test)), json(outcome), json(text));
        try {
            record.write(line.getBytes(StandardCharsets.UTF_8));
        } catch (IOException error) {
            throw new IllegalStateException("the record cannot be written", error);
        }
    }

    private static String json(String text) {
        StringBuilder written = new StringBuilder("\"");
        text.chars().limit(LONGEST_TEXT).forEach(c -> {
            if (c == '"' || c == '\\' || c < ' ' || c > '~') {
                written.append(String.format("\\u%04x", c));
            } else {
                written.append((char) c);
            }
        });
        return written.append('"').toString();
    }
}
