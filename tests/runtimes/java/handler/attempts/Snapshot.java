package attempts;

import com.amazonaws.services.lambda.crac.Context;
import com.amazonaws.services.lambda.crac.Core;
import com.amazonaws.services.lambda.crac.Resource;
import java.util.Map;

/** SnapStart: what a function does right before its snapshot is taken, and first of all after it was restored. */
final class Snapshot implements Resource {
    /** The runtime keeps no hold of it. */
    private static final Snapshot HOOKS = new Snapshot();

    private String before = "no snapshot";
    private String after = "no snapshot";

    private Snapshot() {}

    static void add(Map<String, Deed> deeds) {
        Core.getGlobalContext().register(HOOKS);
        deeds.put("source_before_checkpoint", () -> HOOKS.before);
        deeds.put("source_after_restore", () -> HOOKS.after);
    }

    @Override
    public void beforeCheckpoint(Context<? extends Resource> context) {
        before = Source.readNow();
    }

    @Override
    public void afterRestore(Context<? extends Resource> context) {
        after = Source.readNow();
    }
}
