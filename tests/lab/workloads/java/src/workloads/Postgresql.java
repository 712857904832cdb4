package workloads;

import java.util.Map;

/** Asks PostgreSQL. */
public final class Postgresql {
    private Postgresql() {}

    public static Map<String, Object> handle(Map<String, Object> event) {
        return Outcome.of(() -> {
            String url = "jdbc:postgresql://database.example/postgres?user=postgres&connectTimeout=5";
            try (var connection = java.sql.DriverManager.getConnection(url);
                    var row = connection.createStatement().executeQuery("select 6 * 7")) {
                row.next();
                return row.getInt(1);
            }
        });
    }
}
