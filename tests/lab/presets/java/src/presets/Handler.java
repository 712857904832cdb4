package presets;

import java.util.HashMap;
import java.util.Map;

import com.sun.jna.Library;
import com.sun.jna.Native;

/** Uses one library that unpacks itself, named by the environment. */
public final class Handler {
    private Handler() {}

    /** What C's library has; JNA makes the class behind it. */
    public interface C extends Library {
        int abs(int number);
    }

    /** The same for jnr-ffi. */
    public interface JnrC {
        int abs(int number);
    }

    private interface Use {
        Object run() throws Exception;
    }

    private static final byte[] TEXT = "the same again".getBytes();

    private static final Map<String, Use> USES = new HashMap<>(Map.of(
            "netty-tcnative", () -> {
                io.netty.handler.ssl.OpenSsl.ensureAvailability();
                return "available";
            },
            "netty-epoll", () -> {
                io.netty.channel.epoll.Epoll.ensureAvailability();
                return "available";
            },
            "snappy-java", () -> new String(org.xerial.snappy.Snappy.uncompress(org.xerial.snappy.Snappy.compress(TEXT))),
            "zstd-jni", () -> new String(com.github.luben.zstd.Zstd.decompress(
                    com.github.luben.zstd.Zstd.compress(TEXT), TEXT.length)),
            "sqlite-jdbc", () -> {
                try (var connection = java.sql.DriverManager.getConnection("jdbc:sqlite::memory:");
                        var row = connection.createStatement().executeQuery("select 6 * 7")) {
                    row.next();
                    return row.getInt(1);
                }
            },
            "jna", () -> Native.load("c", C.class).abs(-42),
            "lz4-java", () -> {
                var factory = net.jpountz.lz4.LZ4Factory.nativeInstance();
                var packed = factory.fastCompressor().compress(TEXT);
                return new String(factory.fastDecompressor().decompress(packed, TEXT.length));
            },
            "aws-crt", () -> {
                new software.amazon.awssdk.crt.CRT();
                var sum = new software.amazon.awssdk.crt.checksums.CRC32();
                sum.update(TEXT, 0, TEXT.length);
                return sum.getValue();
            },
            "jnr-ffi", () -> jnr.ffi.LibraryLoader.create(JnrC.class).load("c").abs(-42)));

    static {
        USES.put("grpc-netty", () -> {
            io.grpc.netty.shaded.io.netty.channel.epoll.Epoll.ensureAvailability();
            io.grpc.netty.shaded.io.netty.handler.ssl.OpenSsl.ensureAvailability();
            return "available";
        });
        USES.put("poi", () -> {
            var file = new java.io.ByteArrayOutputStream();
            try (var book = new org.apache.poi.xssf.streaming.SXSSFWorkbook(10)) {
                book.createSheet().createRow(0).createCell(0).setCellValue("text");
                book.write(file);
            }
            return file.toString(java.nio.charset.StandardCharsets.US_ASCII).substring(0, 2);
        });
        USES.put("accp", () -> {
            com.amazon.corretto.crypto.provider.AmazonCorrettoCryptoProvider.install();
            return java.security.MessageDigest.getInstance("SHA-256").getProvider().getName();
        });
        USES.put("imageio", () -> {
            var image = new java.awt.image.BufferedImage(1, 1, java.awt.image.BufferedImage.TYPE_INT_RGB);
            var file = new java.io.ByteArrayOutputStream();
            javax.imageio.ImageIO.write(image, "png", file);
            return file.toString(java.nio.charset.StandardCharsets.US_ASCII).substring(1, 4);
        });
    }

    /** Says what came of the use that the environment names. */
    public static Map<String, Object> handle(Map<String, Object> event) {
        try {
            return Map.of("done", String.valueOf(USES.get(System.getenv("USE")).run()));
        } catch (Exception | LinkageError error) {
            return Map.of("failed", String.valueOf(error));
        }
    }
}
