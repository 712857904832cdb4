import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;

/** As app.py, in Java. */
class App {
    interface Work {
        void run() throws IOException, InterruptedException;
    }

    static void attempt(String name, Work work) throws InterruptedException {
        String result = "done";
        try {
            work.run();
        } catch (IOException error) {
            result = error.getClass().getSimpleName() + " " + error.getMessage();
        }
        System.out.println(name + " " + result);
    }

    static void connect() throws IOException {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getByAddress(new byte[] {(byte) 203, 0, 113, 9}), 80));
        }
    }

    static void askForWork() throws IOException {
        try (Socket socket = new Socket("127.0.0.1", 9001)) {
            socket.getOutputStream()
                    .write("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: a\r\n\r\n".getBytes());
            socket.getInputStream().read();
        }
    }

    public static void main(String[] arguments) throws IOException, InterruptedException {
        if (arguments.length > 0) {
            System.out.println("hello");
            return;
        }
        Path handler = Path.of("/var/task/App.class");
        attempt("read_handler_early", () -> Files.readAllBytes(handler));
        attempt("read_write_tmp", () -> Files.readString(Path.of("/tmp/there")));
        attempt("outbound_connectivity", App::connect);
        attempt("create_child_process", () -> new ProcessBuilder("/bin/true").start().waitFor());
        attempt("load", () -> System.load("/var/task/loaded.so"));
        askForWork();
        attempt("read_handler", () -> Files.readAllBytes(handler));
        attempt("other_file", () -> Files.readAllBytes(Path.of("/etc/passwd")));
    }
}
