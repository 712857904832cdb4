import com.amazonaws.xray.AWSXRay;
import com.amazonaws.xray.entities.Subsegment;
import java.util.Collections;
import java.util.Map;

/** A function that is traced with AWS's X-Ray SDK, which is not loaded before it is used: in the first invocation. */
public class Late {
    public Map<String, String> handle(Map<String, String> event) {
        // As the client does with what the platform tells of the invocation.
        System.setProperty("com.amazonaws.xray.traceHeader", System.getenv("TRACE_HEADER"));
        try (Subsegment handling = AWSXRay.beginSubsegment("handling")) {
            handling.putAnnotation("name", event.get("name"));
            return Collections.singletonMap("said", AWSXRay.createSubsegment("greeting", () -> "hello " + event.get("name")));
        }
    }
}
