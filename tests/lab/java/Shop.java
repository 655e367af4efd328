import java.util.HashMap;
import java.util.Map;

/** A service: every request makes garbage, and keeps a session for ever. Arguments: KiB of each, a hundred times a second. */
class Shop {
    static final Map<Integer, byte[]> SESSIONS = new HashMap<>();
    static byte[] sink;

    public static void main(String[] arguments) throws InterruptedException {
        int garbage = Integer.parseInt(arguments[0]), kept = Integer.parseInt(arguments[1]);
        for (int n = 0; ; n++) {
            for (int i = 0; i < garbage; i++) sink = new byte[1024];
            for (int i = 0; i < kept; i++) SESSIONS.put(n * kept + i, new byte[1024]);
            Thread.sleep(10);
        }
    }
}
