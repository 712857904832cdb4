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
    private static void attempt(String step) throws Exception {
        switch (step) {
            case "tmp":
                Files.writeString(Path.of("/tmp/probe"), "x");
                break;
            case "program":
                new ProcessBuilder("/bin/true").start().waitFor();
                break;
            case "bad mode":
                configure(Map.of("read_write_tmp", "blok"));
                break;
            case "bad field":
                configure(Map.of("read_write_tmpp", "block"));
                break;
            case "bad type":
                configure(Map.of("read_write_tmp", 3));
                break;
            case "bad entry":
                configure(Map.of("allow_tmp", List.of("/tmp/a", "/tmp/b,/tmp/c")));
                break;
            case "bad text":
                configure(Map.of("allow_tmp", "/tmp/a\nSHIELD_ON_FAILURE=run_unshielded"));
                break;
            case "half a character":
                configure(Map.of("allow_tmp", "/tmp/\ud83d"));
                break;
            case "bad option":
                ShieldedFunction.configure(Map.of("polcy", Map.of()));
                break;
            case "no policy":
                ShieldedFunction.configure(Map.of());
                break;
            case "no map":
                ShieldedFunction.configure(null);
                break;
            case "thrown":
                ShieldedFunction.configure(Map.of("policy", new HashMap<String, Object>() {
                @Override
                public java.util.Set<Map.Entry<String, Object>> entrySet() {
                    throw new IllegalStateException("my own");
                }
            }));
                break;
            case "lists":
                configure(Map.of("read_write_tmp", "block", "allow_tmp", List.of("/tmp/probe", "/tmp/\ud83d\ude00"),
                    "check_tls_name", false, "allow_aws", "s3,dynamodb", "create_child_process", "allow"));
                break;
            case "fewer":
                configure(Map.of("allow_tmp", List.of()));
                break;
            default:
                mode(step);
                break;
        }
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

    private static void configure(Map<String, ?> policy) {
        ShieldedFunction.configure(Map.of("policy", policy));
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
