package workloads;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Sends to Kafka and reads it, in a group. */
public final class KafkaClients {
    private static final String BROKER = "kafka.example:9092";

    private KafkaClients() {}

    public static Map<String, Object> handle(Map<String, Object> event) {
        return Outcome.of(() -> {
            send();
            return receive();
        });
    }

    private static void send() throws Exception {
        Map<String, Object> config = Map.of("bootstrap.servers", BROKER, "max.block.ms", 10000);
        StringSerializer text = new StringSerializer();
        try (var producer = new KafkaProducer<>(config, text, text)) {
            producer.send(new ProducerRecord<>("topic", "text")).get();
        }
    }

    private static String receive() {
        Map<String, Object> config =
                Map.of("bootstrap.servers", BROKER, "group.id", "group", "auto.offset.reset", "earliest");
        StringDeserializer text = new StringDeserializer();
        try (var consumer = new KafkaConsumer<>(config, text, text)) {
            consumer.subscribe(List.of("topic"));
            for (ConsumerRecord<String, String> found : consumer.poll(Duration.ofSeconds(10))) {
                return found.value();
            }
        }
        throw new IllegalStateException("nothing arrived");
    }
}
