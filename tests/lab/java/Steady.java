/** A bounded cache whose entries live long enough to grow old, and much garbage. */
class Steady {
    public static void main(String[] arguments) throws InterruptedException {
        byte[][] cache = new byte[2000][];
        for (int n = 0; ; n++) {
            for (int i = 0; i < 60; i++) cache[(n * 60 + i) % cache.length] = new byte[16 * 1024];
            Thread.sleep(5);
        }
    }
}
