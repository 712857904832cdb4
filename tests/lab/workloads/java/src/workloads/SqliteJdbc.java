package workloads;

import java.util.Map;

/** Uses a database in memory, by native code. */
public final class SqliteJdbc {
    private SqliteJdbc() {}

    public static Map<String, Object> handle(Map<String, Object> event) {
        return Outcome.of(() -> {
            try (var connection = java.sql.DriverManager.getConnection("jdbc:sqlite::memory:");
                    var row = connection.createStatement().executeQuery("select 6 * 7")) {
                row.next();
                return row.getInt(1);
            }
        });
    }
}
