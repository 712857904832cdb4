package workloads;

import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/** Sends to Kafka, where nobody listens. */
public final class KafkaClients {
    private KafkaClients() {}

    public static Map<String, Object> handle(Map<String, Object> event) {
        return Outcome.of(() -> {
            Map<String, Object> config = Map.of("bootstrap.servers", "closed.example:9092", "max.block.ms", 3000);
            StringSerializer text = new StringSerializer();
            try (var producer = new KafkaProducer<>(config, text, text)) {
                return producer.send(new ProducerRecord<>("topic", "text")).get().offset();
            }
        });
    }
}
