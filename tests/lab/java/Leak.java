import java.util.ArrayList;
import java.util.List;

/** A list that only grows, next to ordinary garbage. */
class Leak {
    static final List<byte[]> KEPT = new ArrayList<>();
    static byte[] sink;

    public static void main(String[] arguments) throws InterruptedException {
        while (true) {
            for (int i = 0; i < 20; i++) KEPT.add(new byte[1024]);
            for (int i = 0; i < 60; i++) sink = new byte[32 * 1024];
            Thread.sleep(10);
        }
    }
}
