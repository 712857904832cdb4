import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import shieldedfunction.ShieldedFunction;

/** As probe.py: does what its arguments list, step by step, and prints what came of each, a line each. */
public final class Probe {
    private static final Map<String, Map<String, ?>> POLICIES = Map.of(
        "bad mode", Map.of("read_write_tmp", "blok"),
        "bad field", Map.of("read_write_tmpp", "block"),
        "bad type", Map.of("read_write_tmp", 3),
        "bad entry", Map.of("allow_tmp", List.of("/tmp/a", "/tmp/b,/tmp/c")),
        "bad text", Map.of("allow_tmp", "/tmp/a\nSHIELD_ON_FAILURE=run_unshielded"),
        "half a character", Map.of("allow_tmp", "/tmp/\ud83d"),
        "thrown", new HashMap<String, Object>() {
            @Override
            public java.util.Set<Map.Entry<String, Object>> entrySet() {
                throw new IllegalStateException("my own");
            }
        },
        "lists", Map.of("read_write_tmp", "block", "allow_tmp", List.of("/tmp/probe", "/tmp/\ud83d\ude00"),
            "check_tls_name", false, "allow_aws", "s3,dynamodb", "create_child_process", "allow"),
        "fewer", Map.of("allow_tmp", List.of()));
    private static final Map<String, Map<String, ?>> OPTIONS =
        Map.of("bad option", Map.of("polcy", Map.of()), "no policy", Map.of());

    private static void attempt(String step) throws Exception {
        if (step.equals("tmp"))
            Files.writeString(Path.of("/tmp/probe"), "x");
        else if (step.equals("program"))
            new ProcessBuilder("/bin/true").start().waitFor();
        else if (step.equals("no map"))
            ShieldedFunction.configure(null);
        else if (step.startsWith("only "))
            mode(step);
        else if (OPTIONS.containsKey(step))
            ShieldedFunction.configure(OPTIONS.get(step));
        else
            ShieldedFunction.configure(Map.of("policy", POLICIES.get(step)));
    }

    /** "only name=mode". */
    private static void mode(String step) {
        Map<String, Object> policy = new HashMap<>();
        String[] parts = step.replace("only ", "").split("=");
        policy.put(parts[0], parts[1]);
        policy.put("executable_memory", null);
        Map<String, Object> options = new HashMap<>();
        options.put("policy", policy);
        options.put("token", "0123456789abcdef");
        options.put("disable_analytics", true);
        ShieldedFunction.configure(options);
    }

    public static void main(String[] steps) {
        List<String> done = new ArrayList<>();
        for (String step : steps) {
            try {
                attempt(step);
                done.add("ok");
            } catch (AccessDeniedException e) {
                done.add("EACCES");
            } catch (IOException e) {
                done.add(e.getMessage().matches("(?s).*([Pp]ermission denied|error=13|error: 13).*") ? "EACCES" : e.toString());
            } catch (Exception e) {
                done.add(e.toString());
            }
        }
        done.forEach(System.out::println);
    }
}
