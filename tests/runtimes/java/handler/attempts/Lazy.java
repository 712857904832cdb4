package attempts;

/** Nobody asks for this class before an attempt does. */
public final class Lazy {
    private Lazy() {}

    public static String greet() {
        return "lazy";
    }
}
