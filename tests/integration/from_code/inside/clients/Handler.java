import java.io.IOException;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import shieldedfunction.ShieldedFunction;

/** As app.py: shields itself while it is loaded, where it is told to, and then tries what an event lists. */
public class Handler {
    static {
        if (System.getenv("CONFIGURES") != null)
            ShieldedFunction.configure(Map.of(
                    "policy", Map.of(
                            "outbound_connectivity", "block",
                            "read_write_tmp", "block",
                            "create_child_process", "block",
                            "read_handler", "block"),
                    "disable_analytics", true,
                    "token", "0123456789abcdef"));
    }

    private static String attempt(String name) throws IOException {
        switch (name) {
            case "connect":
                new Socket("203.0.113.77", 7000).close();
                return "connected";
            case "write":
                return "" + Files.size(Files.writeString(Path.of("/tmp/written"), "four"));
            case "start":
                Process echo = new ProcessBuilder("/bin/echo", "started").start();
                return new String(echo.getInputStream().readAllBytes()).trim();
            case "read":
                return HexFormat.of().formatHex(Files.readAllBytes(Path.of("/var/task/Handler.class")), 0, 4);
            default:
                throw new IllegalArgumentException(name);
        }
    }

    public Map<String, String> handle(List<String> event) {
        Map<String, String> said = new LinkedHashMap<>();
        for (String name : event) {
            try {
                said.put(name, "done: " + attempt(name));
            } catch (IOException error) {
                said.put(name, error.toString());
            }
        }
        return said;
    }
}
