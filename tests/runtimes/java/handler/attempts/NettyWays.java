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
import io.netty.channel.socket.DatagramPacket;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Netty over its own native transport, which makes system calls from a library of its own. */
final class NettyWays {
    private NettyWays() {}

    static void add(Map<String, Deed> deeds) {
        deeds.put("netty_epoll", () -> done(EpollSocketChannel.class, true));
        deeds.put("netty_epoll_datagram", () -> done(EpollDatagramChannel.class, false));
        deeds.put("netty_epoll_available", () -> {
            Epoll.ensureAvailability();
            return "available";
        });
    }

    /** Connects, or sends a datagram. */
    private static String done(Class<? extends Channel> kind, boolean connects) throws Exception {
        EventLoopGroup group = new EpollEventLoopGroup(1);
        Bootstrap bootstrap = new Bootstrap().group(group).channel(kind).handler(new ChannelInboundHandlerAdapter());
        InetSocketAddress sink = new InetSocketAddress(Network.SERVER, 7000);
        try {
            Channel channel = (connects ? bootstrap.connect(Network.SERVER, 80) : bootstrap.bind(0)).sync().channel();
            if (!connects)
                channel.writeAndFlush(new DatagramPacket(Unpooled.copiedBuffer("netty".getBytes()), sink)).sync();
            channel.close().sync();
            return connects ? "connected" : "sent";
        } finally {
            group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
        }
    }
}
