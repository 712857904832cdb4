package workloads;

import java.util.Map;
import software.amazon.awssdk.core.async.AsyncRequestBody;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.services.s3.S3AsyncClient;

/** Puts an object by the asynchronous client, over Netty. */
public final class AwsSdkS3Async {
    private AwsSdkS3Async() {}

    public static Map<String, Object> handle(Map<String, Object> event) {
        return Outcome.of(() -> {
            try (S3AsyncClient client = S3AsyncClient.builder().httpClientBuilder(NettyNioAsyncHttpClient.builder()).build()) {
                client.createBucket(b -> b.bucket("workloads")).join();
                return client.putObject(b -> b.bucket("workloads").key("async"), AsyncRequestBody.fromString("content")).join()
                        .sdkHttpResponse().statusCode();
            }
        });
    }
}
