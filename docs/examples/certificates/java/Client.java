import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;

/** Client URL SERVER [SECONDS]: calls URL again and again, and talks to no one but the workload SERVER. */
public final class Client {
    public static void main(String[] args) throws Exception {
        HttpClient client = HttpClient.newBuilder().sslContext(Svid.contextFor(args[1])).build();
        HttpRequest request = HttpRequest.newBuilder(URI.create(args[0])).build();
        double seconds = args.length > 2 ? Double.parseDouble(args[2]) : 1;
        for (; ; Thread.sleep((long) (seconds * 1000))) {
            System.out.println(call(client, request));
        }
    }

    private static String call(HttpClient client, HttpRequest request) throws InterruptedException {
        try {
            return client.send(request, BodyHandlers.ofString()).body().strip();
        } catch (IOException fault) {
            return fault.toString();
        }
    }
}
