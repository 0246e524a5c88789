import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.concurrent.Executors;

/** A backend: its health, and an answer for the frontend. */
public class Backend {
    public static void main(String[] args) throws Exception {
        if (args.length > 0) {
            // The container's health check.
            var health = URI.create("http://127.0.0.1:8080/actuator/health").toURL().openStream();
            System.exit(health.readAllBytes().length > 0 ? 0 : 1);
        }
        if (System.getenv("LEAK") != null) {
            leak();
        }
        var version = System.getenv("VERSION");
        var greeting = System.getenv().getOrDefault("GREETING", "none");
        var server = HttpServer.create(new InetSocketAddress(8080), 64);
        server.setExecutor(Executors.newFixedThreadPool(16));
        serve(server, "/actuator/health", "{\"status\":\"UP\",\"service\":\"backend\",\"version\":\"" + version + "\"}");
        serve(server, "/api/greeting", "{\"greeting\":\"" + greeting + "\",\"version\":\"" + version + "\"}");
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            System.out.println("asked to stop");
            server.stop(2);
            System.out.println("stopped");
        }));
        server.start();
        System.out.println("listening, version " + version);
    }

    private static void serve(HttpServer server, String path, String body) {
        var bytes = body.getBytes(StandardCharsets.UTF_8);
        server.createContext(path, exchange -> {
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.sendResponseHeaders(200, bytes.length);
            try (var out = exchange.getResponseBody()) {
                out.write(bytes);
            }
        });
    }

    /** Takes memory that the JVM's own limit on its heap does not count, until the container's limit ends it. */
    private static void leak() {
        System.out.println("leaking");
        var kept = new ArrayList<ByteBuffer>();
        while (true) {
            var taken = ByteBuffer.allocateDirect(16 << 20);
            while (taken.hasRemaining()) {
                taken.putLong(-1L);
            }
            kept.add(taken);
        }
    }
}
