package workloads;

import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthGrpc;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Calls a service, where nobody listens. */
public final class GrpcNettyShaded {
    private GrpcNettyShaded() {}

    public static Map<String, Object> handle(Map<String, Object> event) {
        return Outcome.of(() -> {
            ManagedChannel channel = ManagedChannelBuilder.forTarget("closed.example:50051").usePlaintext().build();
            try {
                return HealthGrpc.newBlockingStub(channel).withDeadlineAfter(5, TimeUnit.SECONDS)
                        .check(HealthCheckRequest.getDefaultInstance()).getStatus();
            } finally {
                channel.shutdownNow();
            }
        });
    }
}
