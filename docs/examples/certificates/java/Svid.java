import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.CertPathValidator;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509ExtendedTrustManager;

/** What kubelet keeps for this Pod, as one SSLContext that is never replaced: each handshake reads what is on disk then. */
public final class Svid {
    private static final Path SVID = Path.of(System.getenv("SIGNET_SVID_BUNDLE"));
    private static final Path TRUST = Path.of(System.getenv("SIGNET_TRUST_BUNDLE"));

    private Svid() {}

    /** A context that shows our certificate, and trusts the one workload with that SPIFFE ID. */
    public static SSLContext contextFor(String peer) throws GeneralSecurityException {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(new KeyManager[] {new Keys()}, new TrustManager[] {new Trust(peer)}, null);
        // A resumed session would go by the certificates of the first one. In seconds; 0 would mean for ever.
        context.getServerSessionContext().setSessionTimeout(1);
        context.getClientSessionContext().setSessionTimeout(1);
        return context;
    }

    /** The SPIFFE ID of a certificate: its one URI name (X509-SVID section 2). */
    public static String idOf(X509Certificate certificate) throws CertificateException {
        var names = certificate.getSubjectAlternativeNames();
        List<?> ids = names == null ? List.of() : names.stream().filter(name -> name.get(0).equals(6)).toList();
        if (ids.size() != 1) throw new CertificateException("not exactly one URI name");
        return (String) ((List<?>) ids.get(0)).get(1);
    }

    private record Holding(PrivateKey key, X509Certificate[] chain) {}

    /** Private key and chain lie in one file, so that no reader ever takes one without the other. */
    private static Holding readHolding(Path file) {
        try {
            String text = Files.readString(file);
            X509Certificate[] chain = readCertificates(text.substring(text.indexOf("-----BEGIN CERTIFICATE")));
            String encoded = text.substring(0, text.indexOf("-----END PRIVATE KEY")).replaceAll("-----.*-----|\\s", "");
            KeyFactory keys = KeyFactory.getInstance(chain[0].getPublicKey().getAlgorithm());
            return new Holding(keys.generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(encoded))), chain);
        } catch (IOException | GeneralSecurityException fault) {
            throw new IllegalStateException("The certificate cannot be read", fault);
        }
    }

    /** The kubelet renames a link to a new folder, then removes the old one: who was on the way there has to look again. */
    private static String readTrust() throws IOException {
        try {
            return Files.readString(TRUST);
        } catch (NoSuchFileException gone) {
            return Files.readString(TRUST);
        }
    }

    private static X509Certificate[] readCertificates(String pem) throws CertificateException {
        var stream = new ByteArrayInputStream(pem.getBytes(StandardCharsets.US_ASCII));
        return CertificateFactory.getInstance("X.509").generateCertificates(stream).toArray(X509Certificate[]::new);
    }

    /**
     * A handshake chooses an alias, then asks for its key, then for its chain. The alias is where the file really lies (kubelet
     * makes a new folder each time), so all three are of one rotation whatever happens in between.
     */
    private static final class Keys extends X509ExtendedKeyManager {
        private final Map<String, Holding> holdings = new ConcurrentHashMap<>();

        private String current(String... keyTypes) {
            try {
                String alias = SVID.toRealPath().toString();
                if (!holdings.containsKey(alias)) {
                    if (holdings.size() > 1) holdings.clear();
                    holdings.put(alias, readHolding(Path.of(alias)));
                }
                String algorithm = holdings.get(alias).key().getAlgorithm();
                return List.of(keyTypes).contains(algorithm) ? alias : null;
            } catch (IOException fault) {
                throw new IllegalStateException("The certificate cannot be found", fault);
            }
        }

        @Override public String chooseClientAlias(String[] types, Principal[] issuers, Socket socket) { return current(types); }
        @Override public String chooseServerAlias(String type, Principal[] issuers, Socket socket) { return current(type); }
        @Override public String chooseEngineClientAlias(String[] types, Principal[] issuers, SSLEngine engine) { return current(types); }
        @Override public String chooseEngineServerAlias(String type, Principal[] issuers, SSLEngine engine) { return current(type); }
        @Override public String[] getClientAliases(String type, Principal[] issuers) { return new String[] {current(type)}; }
        @Override public String[] getServerAliases(String type, Principal[] issuers) { return new String[] {current(type)}; }
        @Override public PrivateKey getPrivateKey(String alias) { return holdings.get(alias).key(); }
        @Override public X509Certificate[] getCertificateChain(String alias) { return holdings.get(alias).chain(); }
    }

    /** Verifies the chain to the bundle and asks for the SPIFFE ID; the host name is no matter. */
    private static final class Trust extends X509ExtendedTrustManager {
        private final String peer;

        Trust(String peer) { this.peer = peer; }

        private void verify(X509Certificate[] chain) throws CertificateException {
            try {
                Set<TrustAnchor> roots = Arrays.stream(readCertificates(readTrust()))
                        .map(root -> new TrustAnchor(root, null)).collect(Collectors.toSet());
                PKIXParameters parameters = new PKIXParameters(roots);
                parameters.setRevocationEnabled(false);
                var path = CertificateFactory.getInstance("X.509").generateCertPath(List.<Certificate>of(chain));
                CertPathValidator.getInstance("PKIX").validate(path, parameters);
            } catch (IOException | GeneralSecurityException fault) {
                throw new CertificateException("The chain is not trusted", fault);
            }
            String id = idOf(chain[0]);
            if (!id.equals(peer)) throw new CertificateException("The peer is " + id);
        }

        @Override public void checkClientTrusted(X509Certificate[] chain, String type) throws CertificateException { verify(chain); }
        @Override public void checkServerTrusted(X509Certificate[] chain, String type) throws CertificateException { verify(chain); }
        @Override public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) throws CertificateException { verify(chain); }
        @Override public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) throws CertificateException { verify(chain); }
        @Override public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) throws CertificateException { verify(chain); }
        @Override public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) throws CertificateException { verify(chain); }
        @Override public X509Certificate[] getAcceptedIssuers() { return new X509Certificate[0]; }
    }
}
