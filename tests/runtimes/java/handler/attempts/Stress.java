package attempts;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.Collections;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** What the JVM does to its own memory and signals, while many threads are in calls that are judged. */
final class Stress {
    private static final int THREADS = 16;
    private static final int ROUNDS = 100;
    private static final int PIECES = 64;

    private Stress() {}

    static void add(Map<String, Deed> deeds) {
        deeds.put("stress", Stress::run);
    }

    private static String run() throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(THREADS);
        // Connections wait in the queue of what listens.
        try (ServerSocket server = new ServerSocket(0, THREADS * ROUNDS, InetAddress.getLoopbackAddress())) {
            Callable<long[]> work = () -> work(server);
            long[] total = new long[4];
            for (Future<long[]> one : pool.invokeAll(Collections.nCopies(THREADS, work)))
                for (int i = 0; i < total.length; i++)
                    total[i] += one.get()[i];
            return String.format("%d nulls, %d bytes, %d connections, %d words", total[0], total[1], total[2], total[3]);
        } finally {
            pool.shutdownNow();
        }
    }

    private static long[] work(ServerSocket server) throws Exception {
        long[] count = new long[4];
        for (int round = 0; round < ROUNDS; round++) {
            // Garbage of every age: some of it lives until the next round but one.
            long[][] pieces = new long[PIECES][];
            for (int i = 0; i < PIECES; i++)
                pieces[i] = new long[1024 + i];
            pieces[round % PIECES] = null;
            for (long[] piece : pieces)
                count[3] += lengthOf(piece, count);
            count[1] += Files.readAllBytes(Paths.get("/etc/hosts")).length;
            if (round % 25 == 0)
                try (Socket socket = new Socket(server.getInetAddress(), server.getLocalPort())) {
                    count[2] += socket.isConnected() ? 1 : 0;
                }
        }
        return count;
    }

    /** The null check is a fault that the JVM's own SIGSEGV handler turns into an exception. */
    private static int lengthOf(long[] piece, long[] count) {
        try {
            return piece.length;
        } catch (NullPointerException error) {
            count[0]++;
            return 0;
        }
    }
}
