package workloads;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.util.Map;

/** Asks PostgreSQL, from a pool. */
public final class Hikaricp {
    private Hikaricp() {}

    public static Map<String, Object> handle(Map<String, Object> event) {
        return Outcome.of(() -> {
            HikariConfig config = new HikariConfig();
            config.setJdbcUrl("jdbc:postgresql://database.example/postgres?user=postgres&connectTimeout=5");
            config.setMaximumPoolSize(2);
            config.setConnectionTimeout(5000);
            try (HikariDataSource pool = new HikariDataSource(config);
                    var connection = pool.getConnection();
                    var row = connection.createStatement().executeQuery("select 6 * 7")) {
                row.next();
                return row.getInt(1);
            }
        });
    }
}
