package workloads;

import java.util.Map;

/** Asks MySQL. */
public final class MysqlConnectorJ {
    private MysqlConnectorJ() {}

    public static Map<String, Object> handle(Map<String, Object> event) {
        return Outcome.of(() -> {
            String url = "jdbc:mysql://mysql.example/?user=root&connectTimeout=5000";
            try (var connection = java.sql.DriverManager.getConnection(url);
                    var row = connection.createStatement().executeQuery("select 6 * 7")) {
                row.next();
                return row.getInt(1);
            }
        });
    }
}
