package workloads;

import java.util.Map;

/** Connects to MySQL, where nobody listens. */
public final class MysqlConnectorJ {
    private MysqlConnectorJ() {}

    public static Map<String, Object> handle(Map<String, Object> event) {
        return Outcome.of(() -> {
            try (var connection = java.sql.DriverManager.getConnection("jdbc:mysql://closed.example/db?user=root&connectTimeout=5000")) {
                return connection.isValid(1);
            }
        });
    }
}
