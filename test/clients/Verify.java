import java.io.FileInputStream;
import java.io.InputStream;
import java.security.cert.CertPath;
import java.security.cert.CertPathValidator;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Verify BUNDLE CHAIN...: what Java's PKIX validator says of each chain, one line each: "ok" or why not. */
public final class Verify {
    public static void main(String[] args) throws Exception {
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        Set<TrustAnchor> anchors = new HashSet<>();
        for (Certificate root : read(factory, args[0])) {
            anchors.add(new TrustAnchor((X509Certificate) root, null));
        }
        PKIXParameters parameters = new PKIXParameters(anchors);
        parameters.setRevocationEnabled(false);
        CertPathValidator validator = CertPathValidator.getInstance("PKIX");
        for (int index = 1; index < args.length; index++) {
            List<Certificate> chain = new ArrayList<>(read(factory, args[index]));
            CertPath path = factory.generateCertPath(chain);
            try {
                validator.validate(path, parameters);
                System.out.println("ok");
            } catch (Exception fault) {
                System.out.println(fault.getMessage());
            }
        }
    }

    private static Collection<? extends Certificate> read(CertificateFactory factory, String path) throws Exception {
        try (InputStream stream = new FileInputStream(path)) {
            return factory.generateCertificates(stream);
        }
    }
}
