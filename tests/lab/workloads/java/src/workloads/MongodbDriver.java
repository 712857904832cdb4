package workloads;

import com.mongodb.client.MongoClients;
import java.util.Map;
import org.bson.Document;

/** Inserts into MongoDB and finds it. */
public final class MongodbDriver {
    private MongodbDriver() {}

    public static Map<String, Object> handle(Map<String, Object> event) {
        return Outcome.of(() -> {
            try (var client = MongoClients.create("mongodb://mongodb.example/?serverSelectionTimeoutMS=5000")) {
                var answers = client.getDatabase("shop").getCollection("answers");
                var inserted = answers.insertOne(new Document("answer", 42)).getInsertedId();
                return answers.find(new Document("_id", inserted)).first().getInteger("answer");
            }
        });
    }
}
