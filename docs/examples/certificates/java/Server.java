import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsExchange;
import com.sun.net.httpserver.HttpsParameters;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.util.concurrent.Executors;
import javax.net.ssl.SSLParameters;

/** Server PORT CALLER: serves HTTPS to the one workload whose SPIFFE ID is CALLER. */
public final class Server {
    public static void main(String[] args) throws Exception {
        HttpsServer server = HttpsServer.create(new InetSocketAddress(Integer.parseInt(args[0])), 0);
        server.setHttpsConfigurator(new HttpsConfigurator(Svid.contextFor(args[1])) {
            @Override
            public void configure(HttpsParameters parameters) {
                SSLParameters mutual = getSSLContext().getDefaultSSLParameters();
                mutual.setNeedClientAuth(true);
                parameters.setSSLParameters(mutual);
            }
        });
        server.createContext("/", Server::hello);
        server.setExecutor(Executors.newCachedThreadPool());
        server.start();
    }

    private static void hello(HttpExchange exchange) throws IOException {
        try (exchange) {
            var session = ((HttpsExchange) exchange).getSSLSession();
            String id = Svid.idOf((X509Certificate) session.getPeerCertificates()[0]);
            byte[] body = ("hello " + id + "\n").getBytes();
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
        } catch (GeneralSecurityException fault) {
            throw new IOException(fault);
        }
    }
}
