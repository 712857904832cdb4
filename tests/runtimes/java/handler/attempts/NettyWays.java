package attempts;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollDatagramChannel;
import io.netty.channel.epoll.EpollEventLoopGroup;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.DatagramPacket;
import io.netty.channel.socket.nio.NioDatagramChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Netty over NIO and over its own native transport, which makes system calls from a library of its own. */
final class NettyWays {
    private NettyWays() {}

    static void add(Map<String, Deed> deeds) {
        deeds.put("netty_nio", () -> connect(new NioEventLoopGroup(1), NioSocketChannel.class));
        deeds.put("netty_nio_datagram", () -> send(new NioEventLoopGroup(1), NioDatagramChannel.class));
        deeds.put("netty_epoll", () -> connect(epoll(), EpollSocketChannel.class));
        deeds.put("netty_epoll_datagram", () -> send(epoll(), EpollDatagramChannel.class));
        deeds.put("netty_epoll_available", () -> {
            Epoll.ensureAvailability();
            return "available";
        });
    }

    private static EventLoopGroup epoll() {
        Epoll.ensureAvailability();
        return new EpollEventLoopGroup(1);
    }

    private static Channel opened(EventLoopGroup group, Class<? extends Channel> kind, boolean connects)
            throws Exception {
        Bootstrap bootstrap = new Bootstrap().group(group).channel(kind).handler(new ChannelInboundHandlerAdapter());
        return (connects ? bootstrap.connect(Network.SERVER, 80) : bootstrap.bind(0)).sync().channel();
    }

    private static String connect(EventLoopGroup group, Class<? extends Channel> kind) throws Exception {
        try {
            opened(group, kind, true).close().sync();
            return "connected";
        } finally {
            group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
        }
    }

    private static String send(EventLoopGroup group, Class<? extends Channel> kind) throws Exception {
        try {
            Channel channel = opened(group, kind, false);
            InetSocketAddress sink = new InetSocketAddress(Network.SERVER, 7000);
            channel.writeAndFlush(new DatagramPacket(Unpooled.copiedBuffer("netty".getBytes()), sink)).sync();
            channel.close().sync();
            return "sent";
        } finally {
            group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
        }
    }
}
