package workloads;

import java.util.Map;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.services.s3.S3Client;

/** Puts an object into a bucket, and reads it. */
public final class AwsSdkS3 {
    private AwsSdkS3() {}

    public static Map<String, Object> handle(Map<String, Object> event) {
        return Outcome.of(() -> {
            try (S3Client client = S3Client.builder().httpClient(UrlConnectionHttpClient.create()).build()) {
                client.createBucket(b -> b.bucket("workloads"));
                client.putObject(b -> b.bucket("workloads").key("key"), RequestBody.fromString("content"));
                return client.getObjectAsBytes(b -> b.bucket("workloads").key("key")).asUtf8String();
            }
        });
    }
}
