import java.util.EnumSet;
import javax.servlet.DispatcherType;
import org.apache.solr.servlet.CoreContainerProvider;
import org.apache.solr.servlet.SolrDispatchFilter;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.servlet.ServletContextHandler;

/** Solr below /solr, as the web.xml of its distribution has it, but without the admin pages. */
public class Serve {
    public static void main(String[] args) throws Exception {
        ServletContextHandler solr = new ServletContextHandler(ServletContextHandler.SESSIONS);
        solr.setContextPath("/solr");
        solr.addEventListener(new CoreContainerProvider());
        solr.addFilter(SolrDispatchFilter.class, "/*", EnumSet.of(DispatcherType.REQUEST)).setAsyncSupported(true);
        solr.addServlet(org.eclipse.jetty.servlet.DefaultServlet.class, "/");
        Server server = new Server(8983);
        server.setHandler(solr);
        server.setStopAtShutdown(true);
        server.start();
        server.join();
    }
}
