package attempts;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;

/** One attempt. Returns evidence that it worked. */
public interface Deed {
    String run() throws Throwable;

    /** All that a stream holds. */
    static byte[] bytesOf(InputStream in) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (int one = in.read(); one >= 0; one = in.read())
            all.write(one);
        return all.toByteArray();
    }

    /** How something is opened. */
    interface Opening<C> {
        C open() throws Throwable;
    }

    /** What is done with it. */
    interface Use<C> {
        Object of(C opened) throws Throwable;
    }

    /** Opens, uses and closes. */
    static <C extends AutoCloseable> Deed with(Opening<C> opening, Use<C> use) {
        return () -> {
            try (C opened = opening.open()) {
                return String.valueOf(use.of(opened));
            }
        };
    }
}
