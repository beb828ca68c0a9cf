import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;

/** What the system trusts, for Java: Debian's own hook takes only the first authority of a file that has several. */
public class Trust {
    public static void main(String[] args) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        try (FileInputStream bundle = new FileInputStream(args[0])) {
            int number = 0;
            for (Certificate one : CertificateFactory.getInstance("X.509").generateCertificates(bundle)) {
                store.setCertificateEntry("authority-" + number++, one);
            }
        }
        try (FileOutputStream made = new FileOutputStream(args[1])) {
            store.store(made, "changeit".toCharArray());
        }
    }
}
