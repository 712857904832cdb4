package workloads;

import java.util.Map;

/** Writes and reads a workbook in memory. */
public final class Poi {
    private Poi() {}

    public static Map<String, Object> handle(Map<String, Object> event) {
        return Outcome.of(() -> {
            var file = new java.io.ByteArrayOutputStream();
            try (var book = new org.apache.poi.xssf.usermodel.XSSFWorkbook()) {
                book.createSheet().createRow(0).createCell(0).setCellValue("text");
                book.write(file);
            }
            try (var book = new org.apache.poi.xssf.usermodel.XSSFWorkbook(new java.io.ByteArrayInputStream(file.toByteArray()))) {
                return book.getSheetAt(0).getRow(0).getCell(0).getStringCellValue();
            }
        });
    }
}
