package workloads;

import com.google.protobuf.StringValue;
import java.util.Map;

/** Writes and reads a message. */
public final class ProtobufJava {
    private ProtobufJava() {}

    public static Map<String, Object> handle(Map<String, Object> event) {
        return Outcome.of(() -> {
            return StringValue.parseFrom(StringValue.of("text").toByteArray()).getValue();
        });
    }
}
