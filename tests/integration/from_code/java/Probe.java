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
        else if (step.equals("stricter"))
            stricter();
        else if (OPTIONS.containsKey(step))
            ShieldedFunction.configure(OPTIONS.get(step));
        else
            ShieldedFunction.configure(Map.of("policy", POLICIES.get(step)));
    }

    /** With the options of FunctionShield, and a field that says nothing. */
    private static void stricter() {
        Map<String, Object> policy = new HashMap<>(Map.of("create_child_process", "block"));
        policy.put("executable_memory", null);
        ShieldedFunction.configure(Map.of("policy", policy, "token", "0123456789abcdef", "disable_analytics", true));
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
