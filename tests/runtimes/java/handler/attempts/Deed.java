package attempts;

/** One attempt. Returns evidence that it worked. */
public interface Deed {
    String run() throws Throwable;
}
