import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/** Kafka Streams: the same row and command for each event as in bare.py, exactly once, in one thread. */
public final class Counting implements Processor<byte[], byte[], byte[], byte[]> {
    record Event(String eventId, String customerId) {}

    record Row(long n, String last) {}

    record Command(String id, String to) {}

    private static final String STORE = "customers";
    private static final ObjectMapper JSON =
            new ObjectMapper().configure(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, false);

    private ProcessorContext<byte[], byte[]> context;
    private KeyValueStore<byte[], byte[]> rows;

    @Override
    public void init(ProcessorContext<byte[], byte[]> given) {
        context = given;
        rows = given.getStateStore(STORE);
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
        try {
            Event event = JSON.readValue(record.value(), Event.class);
            byte[] before = rows.get(record.key());
            long n = before == null ? 0 : JSON.readValue(before, Row.class).n();
            rows.put(record.key(), JSON.writeValueAsBytes(new Row(n + 1, event.eventId())));
            byte[] command = JSON.writeValueAsBytes(new Command(event.eventId(), event.customerId()));
            context.forward(record.withValue(command));
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    private static Topology topology() {
        var bytes = Serdes.ByteArray();
        var store = Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(STORE), bytes, bytes);
        return new Topology()
                .addSource("events", bytes.deserializer(), bytes.deserializer(), System.getenv("BENCH_TOPIC"))
                .addProcessor("counting", Counting::new, "events")
                .addStateStore(store.withCachingEnabled(), "counting")
                .addSink("commands", "bare.commands", bytes.serializer(), bytes.serializer(), "counting");
    }

    public static void main(String[] arguments) {
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, System.getenv("FAIRWAY_APP_ID"));
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, System.getenv("FAIRWAY_BROKERS"));
        settings.put(StreamsConfig.STATE_DIR_CONFIG, System.getenv("FAIRWAY_DATA_DIR") + "-kafka-streams");
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        KafkaStreams streams = new KafkaStreams(topology(), settings);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> streams.close(Duration.ofSeconds(5))));
        streams.start();
    }
}
