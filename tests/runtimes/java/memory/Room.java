import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.List;

/** After the first request for an event: two threads to the end of their stacks, a heap of 200 MB, and the limit on files. */
public class Room {
    static int depth;

    static void down() {
        depth++;
        down();
    }

    static boolean reachesItsEnd() {
        depth = 0;
        try {
            down();
        } catch (StackOverflowError error) {
            return depth > 5000;
        }
        return false;
    }

    public static void main(String[] arguments) throws Exception {
        System.out.println("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n\r");
        boolean first = reachesItsEnd();
        boolean[] second = {false};
        Thread thread = new Thread(null, () -> second[0] = reachesItsEnd(), "deep", 64 << 20);
        thread.start();
        thread.join();
        List<byte[]> heap = new ArrayList<>();
        long size = 0;
        for (int i = 0; i < 3200; i++) heap.add(new byte[1 << 16]);
        for (byte[] part : heap) size += part.length;
        for (String line : Files.readAllLines(Paths.get("/proc/self/limits")))
            if (line.startsWith("Max file size"))
                System.out.println(first + " " + second[0] + " " + size + " " + line.split(" {2,}")[2]);
    }
}
