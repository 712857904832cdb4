package workloads;

import java.util.Map;

/** Uses a database in memory. */
public final class H2 {
    private H2() {}

    public static Map<String, Object> handle(Map<String, Object> event) {
        return Outcome.of(() -> {
            try (var connection = java.sql.DriverManager.getConnection("jdbc:h2:mem:test");
                    var row = connection.createStatement().executeQuery("select 6 * 7")) {
                row.next();
                return row.getInt(1);
            }
        });
    }
}
