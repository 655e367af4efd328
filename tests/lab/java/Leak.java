import java.util.ArrayList;
import java.util.List;

/** A list that only grows, next to a bounded cache whose entries grow old, and ordinary garbage. */
class Leak {
    static final List<byte[]> KEPT = new ArrayList<>();

    public static void main(String[] arguments) throws InterruptedException {
        byte[][] cache = new byte[2000][];
        for (int n = 0; ; n++) {
            for (int i = 0; i < 10; i++) KEPT.add(new byte[1024]);
            for (int i = 0; i < 60; i++) cache[(n * 60 + i) % cache.length] = new byte[16 * 1024];
            Thread.sleep(5);
        }
    }
}
