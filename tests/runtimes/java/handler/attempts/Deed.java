package attempts;

/** One attempt. Returns evidence that it worked. */
public interface Deed {
    String run() throws Throwable;

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
