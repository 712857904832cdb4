package workloads;

import java.util.Map;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.services.s3.S3AsyncClient;

/** Makes a bucket by the asynchronous client, over Netty. Not an object: moto does not answer to `100-continue`. */
public final class AwsSdkS3Async {
    private AwsSdkS3Async() {}

    public static Map<String, Object> handle(Map<String, Object> event) {
        return Outcome.of(() -> {
            var http = NettyNioAsyncHttpClient.builder();
            try (S3AsyncClient client = S3AsyncClient.builder().httpClientBuilder(http).build()) {
                client.createBucket(b -> b.bucket("workloads")).join();
                return client.listBuckets().join().hasBuckets();
            }
        });
    }
}
