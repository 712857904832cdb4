import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import java.util.List;

/** Serves at an address and a port. It says that it is MongoDB 4.4, as today's clients refuse an older one. */
final class Serve {
    private static final MongoVersion VERSION = new MongoVersion() {
        @Override
        public List<Integer> getVersionArray() {
            return List.of(4, 4, 0);
        }

        @Override
        public int getWireVersion() {
            return 9;
        }
    };

    private Serve() {}

    public static void main(String[] arguments) {
        new MongoServer(new MemoryBackend().version(VERSION)).bind(arguments[0], Integer.parseInt(arguments[1]));
    }
}
