package workloads;

import java.util.Map;

/** Draws and encodes an image. */
public final class Imageio {
    private Imageio() {}

    public static Map<String, Object> handle(Map<String, Object> event) {
        return Outcome.of(() -> {
            var image = new java.awt.image.BufferedImage(10, 10, java.awt.image.BufferedImage.TYPE_INT_RGB);
            var file = new java.io.ByteArrayOutputStream();
            javax.imageio.ImageIO.write(image, "png", file);
            return file.size() > 0;
        });
    }
}
