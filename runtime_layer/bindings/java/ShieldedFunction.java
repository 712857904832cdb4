package shieldedfunction;

import java.util.Map;

/**
 * The shield from a function's own code, for those who deploy without the construct.
 *
 * The build writes the layer's class without a compiler (java_class.py). This is its source for readers, and a test
 * compares the two.
 */
public final class ShieldedFunction {
    static {
        System.load("/opt/shielded-function/libshield-java.so");
    }

    private ShieldedFunction() {
    }

    /**
     * Arms the shield in this process, or makes the modes in force stricter.
     *
     * @param options "policy": a map of the fields of a policy: modes as String, lists as a Collection of String or as
     *     one String with commas, switches as Boolean. A mode that is left out is "block" in the first call,
     *     read_handler is "allow". In a later call it stays as it is: that call only makes modes stricter, and may switch
     *     clear_tmp, block_foreign_functions and kernel_limits on. Lists and other switches are left out there, or the
     *     same. The limits of the kernel hold from the next request for an event on.
     *     "token" and "disable_analytics" are accepted for the sake of FunctionShield's users, and ignored.
     * @throws IllegalArgumentException the configuration cannot be put in force, and nothing has changed; the message
     *     names the field and the fix.
     */
    public static native void configure(Map<String, ?> options);
}
