import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.serialization.StringDeserializer;

/** Sends what Fairway commands on one channel: every command once, in the order of each customer. */
public class Sender {
    private static final String CHANNEL = System.getenv().getOrDefault("CHANNEL", "EMAIL");
    private static final URI PROVIDER = URI.create(System.getenv("PROVIDER_URL"));
    private static final Duration OLDEST = Duration.ofDays(1); // a command not sent by then is not sent
    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final int[] PAUSES_MS = {500, 1000, 2000, 5000, 10_000, 30_000}; // the last for all further tries

    /** The provider takes nothing for the moment; the same command may succeed later. */
    private static class Unavailable extends Exception {}

    private final KafkaConsumer<String, String> consumer;
    private final Connection database;
    private final HttpClient provider = HttpClient.newBuilder().connectTimeout(TIMEOUT).build();
    private final ObjectMapper json = new ObjectMapper();
    private final Map<TopicPartition, Integer> tries = new HashMap<>(); // of the partition's next command
    private final Map<TopicPartition, Instant> resumeAt = new HashMap<>();

    Sender(KafkaConsumer<String, String> consumer, Connection database) {
        this.consumer = consumer;
        this.database = database;
    }

    static KafkaConsumer<String, String> makeConsumer() {
        var consumer = new KafkaConsumer<>(Map.of(
            ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, System.getenv("KAFKA_BROKERS"),
            ConsumerConfig.GROUP_ID_CONFIG, "sender-" + CHANNEL,
            ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed",
            ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest",
            ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false
        ), new StringDeserializer(), new StringDeserializer());
        consumer.subscribe(List.of("fairway.commands"));
        return consumer;
    }

    /** Handles a partition's records and commits; where the provider is unavailable, the rest comes again. */
    private void take(TopicPartition partition, List<ConsumerRecord<String, String>> records) throws Exception {
        var next = records.get(0).offset();
        try {
            for (var record : records) {
                handle(record);
                tries.remove(partition);
                next = record.offset() + 1;
            }
        } catch (Unavailable unavailable) {
            int count = tries.merge(partition, 1, Integer::sum);
            resumeAt.put(partition, Instant.now().plusMillis(PAUSES_MS[Math.min(count, PAUSES_MS.length) - 1]));
            consumer.pause(Set.of(partition));
            consumer.seek(partition, next);
        }
        try {
            consumer.commitSync(Map.of(partition, new OffsetAndMetadata(next)));
        } catch (CommitFailedException | RebalanceInProgressException lost) {
            // the partition goes to another member, which begins at the last commit and drops what is done with
        }
    }

    /** Lets the partitions go on whose pause is over. */
    private void resume() {
        var now = Instant.now();
        var due = resumeAt.entrySet().stream().filter(entry -> !entry.getValue().isAfter(now)).map(Map.Entry::getKey);
        for (var partition : due.toList()) {
            resumeAt.remove(partition);
            if (consumer.assignment().contains(partition)) {
                consumer.resume(Set.of(partition));
            }
        }
    }

    /** Sends the command unless it is another channel's, too old or done with. */
    private void handle(ConsumerRecord<String, String> record) throws Exception {
        if (!CHANNEL.equalsIgnoreCase(header(record, "channel"))) {
            return;
        }
        var command = json.readTree(record.value());
        var id = UUID.fromString(command.get("commandId").asText());
        if (isHandled(id)) {
            return;
        }
        var outcome = isExpired(record, command) ? "expired" : send(record, id);
        var insert = "INSERT INTO handled_commands (command_id, outcome) VALUES (?, ?) ON CONFLICT DO NOTHING";
        try (var statement = database.prepareStatement(insert)) {
            statement.setObject(1, id);
            statement.setString(2, outcome);
            statement.executeUpdate();
        }
    }

    private boolean isHandled(UUID id) throws SQLException {
        try (var find = database.prepareStatement("SELECT 1 FROM handled_commands WHERE command_id = ?")) {
            find.setObject(1, id);
            return find.executeQuery().next();
        }
    }

    /** Hands the command to the provider, which knows by its key what it has sent. */
    private String send(ConsumerRecord<String, String> record, UUID id) throws Unavailable, InterruptedException {
        var request = HttpRequest.newBuilder(PROVIDER).timeout(TIMEOUT)
            .header("Content-Type", "application/json").header("Idempotency-Key", id.toString())
            .POST(HttpRequest.BodyPublishers.ofString(record.value()));
        var traceparent = header(record, "traceparent");
        if (traceparent != null) {
            request.header("traceparent", traceparent);
        }
        int status;
        try {
            status = provider.send(request.build(), HttpResponse.BodyHandlers.discarding()).statusCode();
        } catch (IOException noAnswer) {
            throw new Unavailable();
        }
        if (Set.of(408, 425, 429).contains(status) || status >= 500) {
            throw new Unavailable();
        }
        return status < 300 ? "sent" : "refused";
    }

    private static boolean isExpired(ConsumerRecord<?, ?> record, JsonNode command) {
        var now = Instant.now();
        return now.isAfter(Instant.ofEpochMilli(record.timestamp()).plus(OLDEST))
            || !command.get("notAfter").isNull() && now.isAfter(Instant.parse(command.get("notAfter").asText()));
    }

    private static String header(ConsumerRecord<?, ?> record, String name) {
        var header = record.headers().lastHeader(name);
        return header == null ? null : new String(header.value(), StandardCharsets.UTF_8);
    }

    public static void main(String[] arguments) throws Exception {
        var running = new AtomicBoolean(true);
        var main = Thread.currentThread();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            running.set(false);
            try {
                main.join();
            } catch (InterruptedException ignored) {
                // the process ends either way
            }
        }));
        try (var database = DriverManager.getConnection(System.getenv("JDBC_URL")); var consumer = makeConsumer()) {
            var sender = new Sender(consumer, database);
            while (running.get()) {
                sender.resume();
                var read = consumer.poll(Duration.ofMillis(200));
                for (var partition : read.partitions()) {
                    sender.take(partition, read.records(partition));
                }
            }
        }
    }
}
