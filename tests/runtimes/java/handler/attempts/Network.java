package attempts;

import static attempts.Deed.with;

import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.URL;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousSocketChannel;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.Collections;
import java.util.Hashtable;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import javax.naming.directory.InitialDirContext;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;

/** outbound_connectivity: every client of the JDK's own. A web server and a sink for datagrams listen at SERVER. */
final class Network {
    static final String SERVER = "203.0.113.66";
    private static final String RESOLVER = "169.254.78.1";
    private static final InetSocketAddress WEB = new InetSocketAddress(SERVER, 80);
    private static final InetSocketAddress SINK = new InetSocketAddress(SERVER, 7000);
    private static final int PATIENCE = 5000;

    private Network() {}

    static void add(Map<String, Deed> deeds) {
        addStreams(deeds);
        addDatagrams(deeds);
        addNames(deeds);
        addTls(deeds);
    }

    private static void addStreams(Map<String, Deed> deeds) {
        deeds.put("socket", with(() -> new Socket(SERVER, 80), Network::get));
        deeds.put("socket_with_timeout", with(Socket::new, socket -> {
            socket.connect(WEB, PATIENCE);
            return get(socket);
        }));
        deeds.put("socket_v6", with(() -> new Socket("2001:db8::66", 80), Network::get));
        deeds.put("socket_by_name", with(() -> new Socket("stream.evil.example", 80), Network::get));
        deeds.put("socket_virtual_thread", () -> {
            // Java 21: the connection is made on a carrier thread, without blocking it.
            FutureTask<Boolean> connected = new FutureTask<>(() -> {
                try (Socket socket = new Socket(SERVER, 80)) {
                    return socket.isConnected();
                }
            });
            Object builder = Thread.class.getMethod("ofVirtual").invoke(null);
            Class.forName("java.lang.Thread$Builder").getMethod("start", Runnable.class).invoke(builder, connected);
            return resultOf(connected::get);
        });
        URI url = URI.create("http://" + SERVER + "/");
        deeds.put("http_url_connection", () -> {
            HttpURLConnection connection = (HttpURLConnection) new URL(url.toString()).openConnection();
            connection.setConnectTimeout(PATIENCE);
            return String.valueOf(connection.getResponseCode());
        });
        deeds.put("http_client", () -> send(
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build(), url));
        deeds.put("http_client_by_name", () -> send(
            HttpClient.newHttpClient(), URI.create("http://client.evil.example/")));
        deeds.put("socket_channel", with(() -> SocketChannel.open(WEB), SocketChannel::isConnected));
        deeds.put("socket_channel_selector", with(SocketChannel::open, channel -> {
            Selector selector = Selector.open();
            channel.configureBlocking(false);
            if (!channel.connect(WEB)) {
                channel.register(selector, SelectionKey.OP_CONNECT);
                selector.select(PATIENCE);
                channel.finishConnect();
            }
            return channel.isConnected();
        }));
        deeds.put("socket_channel_asynchronous", with(AsynchronousSocketChannel::open,
            channel -> resultOf(() -> channel.connect(WEB).get(PATIENCE, TimeUnit.MILLISECONDS))));
    }

    private static void addDatagrams(Map<String, Deed> deeds) {
        deeds.put("datagram_socket", with(DatagramSocket::new, socket -> {
            byte[] bytes = "datagram_socket".getBytes();
            socket.send(new DatagramPacket(bytes, bytes.length, SINK));
            return "sent";
        }));
        deeds.put("datagram_channel", with(
            DatagramChannel::open, channel -> channel.send(ByteBuffer.wrap("datagram_channel".getBytes()), SINK)));
        deeds.put("datagram_channel_connected", with(() -> DatagramChannel.open().connect(SINK), channel -> {
            ByteBuffer[] parts = {ByteBuffer.wrap("datagram_".getBytes()), ByteBuffer.wrap("channel_connected".getBytes())};
            return channel.write(parts);
        }));
    }

    private static void addNames(Map<String, Deed> deeds) {
        deeds.put("name", () -> InetAddress.getByName("one.evil.example").getHostAddress());
        deeds.put("name_jndi", () -> {
            Hashtable<String, String> environment = new Hashtable<>();
            environment.put("java.naming.factory.initial", "com.sun.jndi.dns.DnsContextFactory");
            environment.put("java.naming.provider.url", "dns://" + RESOLVER);
            return new InitialDirContext(environment).getAttributes("jndi.evil.example", new String[] {"A"}).toString();
        });
    }

    private static void addTls(Map<String, Deed> deeds) {
        deeds.put("tls_own_name", () -> handshake("api.partner.example"));
        deeds.put("tls_foreign_name", () -> handshake("foreign.example"));
        deeds.put("tls_without_name", () -> handshake(""));
        deeds.put("tls_http_client", () -> send(
            HttpClient.newBuilder().sslContext(trusting()).build(), URI.create("https://api.partner.example/")));
    }

    /** What it gives, or throws as its cause. */
    private static String resultOf(Deed.Opening<?> future) throws Throwable {
        try {
            return String.valueOf(future.open());
        } catch (ExecutionException error) {
            throw error.getCause();
        }
    }

    private static String get(Socket socket) throws IOException {
        socket.setSoTimeout(PATIENCE);
        socket.getOutputStream().write("GET / HTTP/1.0\r\n\r\n".getBytes());
        byte[] start = new byte[12];
        new DataInputStream(socket.getInputStream()).readFully(start);
        return new String(start);
    }

    private static String send(HttpClient client, URI url) throws Exception {
        return String.valueOf(client.send(HttpRequest.newBuilder(url).build(), BodyHandlers.ofString()).statusCode());
    }

    private static String handshake(String name) throws Exception {
        InetAddress address = InetAddress.getByName("api.partner.example");
        try (SSLSocket socket = (SSLSocket) trusting().getSocketFactory().createSocket(address, 443)) {
            socket.setSoTimeout(PATIENCE);
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setServerNames(
                name.isEmpty() ? Collections.emptyList() : Collections.singletonList(new SNIHostName(name)));
            socket.setSSLParameters(parameters);
            socket.startHandshake();
            return get(socket);
        }
    }

    /** Whose certificate it is does not matter here. */
    private static SSLContext trusting() throws Exception {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, InsecureTrustManagerFactory.INSTANCE.getTrustManagers(), null);
        return context;
    }
}
