import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.StringSerializer;

/** Publishes a producer's outbox: a row goes once Kafka has its event, so a crash may repeat events, but loses none. */
public class Producer {
    private static final int SLICE = 500;
    private static final int IDLE_MS = 200;
    private static final String OLDEST =
        "SELECT position, topic, key, event::text, traceparent FROM outbox ORDER BY position LIMIT ? FOR UPDATE";

    private static KafkaProducer<String, String> makeProducer() {
        return new KafkaProducer<>(Map.of( // its default partitioner is the one that Fairway expects
            ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, System.getenv("KAFKA_BROKERS"),
            ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true, // and with it acks=all; both are the default since 3.0
            ProducerConfig.COMPRESSION_TYPE_CONFIG, "snappy",
            ProducerConfig.LINGER_MS_CONFIG, 5
        ), new StringSerializer(), new StringSerializer()); // which write UTF-8
    }

    /** Publishes the oldest rows and returns how many; what fails stays, and is published again with the same ids. */
    private static int publish(Connection database, KafkaProducer<String, String> producer)
            throws SQLException, ExecutionException, InterruptedException {
        List<Long> positions = new ArrayList<>();
        List<Future<RecordMetadata>> arrivals = new ArrayList<>();
        try (var oldest = database.prepareStatement(OLDEST)) {
            oldest.setInt(1, SLICE);
            var rows = oldest.executeQuery();
            while (rows.next()) {
                positions.add(rows.getLong(1));
                var record = new ProducerRecord<>(rows.getString(2), rows.getString(3), rows.getString(4));
                var traceparent = rows.getString(5);
                if (traceparent != null) {
                    record.headers().add("traceparent", traceparent.getBytes(StandardCharsets.UTF_8));
                }
                arrivals.add(producer.send(record));
            }
        }
        for (var arrival : arrivals) {
            arrival.get();
        }
        try (var delete = database.prepareStatement("DELETE FROM outbox WHERE position = ANY(?)")) {
            delete.setArray(1, database.createArrayOf("bigint", positions.toArray()));
            delete.executeUpdate();
        }
        database.commit();
        return positions.size();
    }

    public static void main(String[] arguments) throws Exception {
        var stop = new CountDownLatch(1);
        var main = Thread.currentThread();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            stop.countDown();
            try {
                main.join();
            } catch (InterruptedException ignored) {
                // the process ends either way
            }
        }));
        try (var database = DriverManager.getConnection(System.getenv("JDBC_URL")); var producer = makeProducer()) {
            database.setAutoCommit(false); // an error ends the process, and with it the transaction
            while (stop.getCount() > 0) {
                if (publish(database, producer) == 0) {
                    stop.await(IDLE_MS, TimeUnit.MILLISECONDS);
                }
            }
        }
    }
}
