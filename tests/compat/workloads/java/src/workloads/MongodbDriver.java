package workloads;

import java.util.Map;

/** Connects to MongoDB, where nobody listens. */
public final class MongodbDriver {
    private MongodbDriver() {}

    public static Map<String, Object> handle(Map<String, Object> event) {
        return Outcome.of(() -> {
            try (var client = com.mongodb.client.MongoClients.create("mongodb://closed.example/?serverSelectionTimeoutMS=3000")) {
                return client.getDatabase("admin").runCommand(new org.bson.Document("ping", 1));
            }
        });
    }
}
