package workloads;

import java.util.Map;

/** Streams a workbook, by temporary files. */
public final class PoiStreaming {
    private PoiStreaming() {}

    public static Map<String, Object> handle(Map<String, Object> event) {
        return Outcome.of(() -> {
            var file = new java.io.ByteArrayOutputStream();
            try (var book = new org.apache.poi.xssf.streaming.SXSSFWorkbook(10)) {
                var sheet = book.createSheet();
                for (int row = 0; row < 100; row++) {
                    sheet.createRow(row).createCell(0).setCellValue(row);
                }
                book.write(file);
            }
            return file.size() > 0;
        });
    }
}
