package workloads;

import java.util.Map;

/** Loads its native transport. */
public final class NettyEpoll {
    private NettyEpoll() {}

    public static Map<String, Object> handle(Map<String, Object> event) {
        return Outcome.of(() -> {
            io.netty.channel.epoll.Epoll.ensureAvailability();
            return "available";
        });
    }
}
