package workloads;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.Multimaps;
import java.util.Map;

/** Groups and caches. */
public final class Guava {
    private Guava() {}

    public static Map<String, Object> handle(Map<String, Object> event) {
        return Outcome.of(() -> {
            return Multimaps.index(ImmutableList.of(1, 2, 3), each -> each % 2);
        });
    }
}
