package agent;

import java.lang.instrument.ClassFileTransformer;
import java.lang.instrument.Instrumentation;
import java.security.ProtectionDomain;

/** Sees every class that is loaded, as agents of tracing products do, and says so in a property. */
public class Agent {
    public static void premain(String unused, Instrumentation instrumentation) {
        instrumentation.addTransformer(
                new ClassFileTransformer() {
                    @Override
                    public byte[] transform(
                            ClassLoader loader, String name, Class<?> redefined, ProtectionDomain domain, byte[] code) {
                        if ("attempts/Handler".equals(name))
                            System.setProperty("agent", "saw the handler");
                        return null;
                    }
                });
    }
}
