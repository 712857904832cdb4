// Every way that .NET has to talk to somebody: 203.0.113.66 is a stranger, and so is every name under evil.example.
using System;
using System.Collections.Generic;
using System.IO;
using System.Net;
using System.Net.Http;
using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using static Attempts;

static class Network
{
    const int Plain = 7000;
    const string Partner = "api.partner.example";
    static readonly IPAddress Stranger = IPAddress.Parse("203.0.113.66"), Stranger6 = IPAddress.Parse("2001:db8::66");

    // What a server heard, it says again.
    static object Echo(NetworkStream stream, string text)
    {
        stream.Write(Encoding.ASCII.GetBytes(text));
        stream.Socket.Shutdown(SocketShutdown.Send);
        return new StreamReader(stream).ReadToEnd().Length > 0;
    }

    static object Connected(IPAddress address, string text)
    {
        using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        if (address.IsIPv4MappedToIPv6) socket.DualMode = true;
        socket.Connect(address, Plain);
        return Echo(new NetworkStream(socket), text);
    }

    static async Task<object> ConnectedLater(string text)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(Stranger, Plain);
        return Echo(new NetworkStream(socket), text);
    }

    static object Client(string host, string text)
    {
        using var client = new TcpClient(host, Plain);
        return Echo(client.GetStream(), text);
    }

    static byte[] Answer(UdpClient client, string text, IPEndPoint to)
    {
        using (client)
        {
            var bytes = Encoding.Latin1.GetBytes(text);
            client.Send(bytes, bytes.Length, to);
            IPEndPoint from = null;
            client.Client.ReceiveTimeout = 5000;
            return client.Receive(ref from);
        }
    }

    static object Datagram(IPAddress to, string text) =>
        Answer(new UdpClient(to.AddressFamily), text, new IPEndPoint(to, Plain)).Length;

    static async Task<object> DatagramLater(string text)
    {
        using var client = new UdpClient();
        return await client.SendAsync(Encoding.ASCII.GetBytes(text), new IPEndPoint(Stranger, Plain));
    }

    // A question for an address to the function's own name server, without the system's resolver (RFC 1035, 4.1).
    static object AskedByHand(string host)
    {
        var name = string.Concat(Array.ConvertAll(host.Split('.'), label => (char)label.Length + label));
        var question = $"\x1\x2\x1\0\0\x1\0\0\0\0\0\0{name}\0\0\x1\0\x1";
        var answer = Answer(new UdpClient(), question, new IPEndPoint(IPAddress.Parse("169.254.78.1"), 53));
        return (answer[3] & 15) == 0 ? answer[7] > 0 : throw new IOException($"answered with {answer[3] & 15}");
    }

    static async Task<object> Get(string url)
    {
        using var client = new HttpClient();
        using var response = await client.GetAsync(url);
        return (int)response.StatusCode;
    }

    static object GetByRequest(string url)
    {
        using var response = WebRequest.Create(url).GetResponse();
        return response.ContentLength;
    }

    static object GetByClient(string url)
    {
        using var client = new WebClient();
        return client.DownloadString(url).Length > 0;
    }

    static async Task<object> OpenWebSocket(string url)
    {
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri(url), CancellationToken.None);
        return true;
    }

    // To a partner, by that name or another: its servers have other tenants.
    static async Task<object> Tls(string name, RemoteCertificateValidationCallback validation = null)
    {
        using var client = new TcpClient(Partner, 443);
        using var tls = new SslStream(client.GetStream(), false, validation);
        await tls.AuthenticateAsClientAsync(name);
        tls.Write(Encoding.ASCII.GetBytes($"GET /{name.Split('.')[0]} HTTP/1.0\r\n\r\n"));
        return new StreamReader(tls).ReadToEnd().Length > 0;
    }

    static object Loopback()
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var client = new TcpClient("127.0.0.1", ((IPEndPoint)listener.LocalEndpoint).Port);
        using var accepted = listener.AcceptTcpClient();
        listener.Stop();
        return accepted.Connected;
    }

    public static readonly Dictionary<string, Func<Given, Task<object>>> All = new()
    {
        ["socket"] = Now(given => Connected(Stranger, given.Name)),
        ["socket6"] = Now(given => Connected(Stranger6, given.Name)),
        ["socket-mapped"] = Now(given => Connected(Stranger.MapToIPv6(), given.Name)),
        ["socket-async"] = given => ConnectedLater(given.Name),
        ["tcp-client"] = Now(given => Client("203.0.113.66", given.Name)),
        ["tcp-client-name"] = Now(given => Client(given.Host, given.Name)),
        ["udp"] = Now(given => Datagram(Stranger, given.Name)),
        ["udp6"] = Now(given => Datagram(Stranger6, given.Name)),
        ["udp-connected"] = Now(given => Answer(new UdpClient("203.0.113.66", Plain), given.Name, null).Length),
        ["udp-async"] = given => DatagramLater(given.Name),
        ["http"] = given => Get($"http://203.0.113.66/{given.Name}"),
        ["http6"] = given => Get($"http://[2001:db8::66]/{given.Name}"),
        ["http-name"] = given => Get($"http://{given.Host}/{given.Name}"),
        ["https-name"] = given => Get($"https://{given.Host}/{given.Name}"),
        ["web-request"] = Now(given => GetByRequest($"http://203.0.113.66/{given.Name}")),
        ["web-client"] = Now(given => GetByClient($"http://203.0.113.66/{given.Name}")),
        ["websocket"] = given => OpenWebSocket($"ws://203.0.113.66:8081/{given.Name}"),
        ["dns"] = Now(given => Dns.GetHostAddresses(given.Host).Length > 0),
        ["dns-async"] = async given => (await Dns.GetHostAddressesAsync(given.Host)).Length > 0,
        ["dns-by-hand"] = Now(given => AskedByHand(given.Host)),
        ["tls-foreign-name"] = given => Tls(given.Host, (_, _, _, _) => true),

        ["allowed-https"] = given => Get($"https://{Partner}/{given.Name}"),
        ["allowed-tls"] = _ => Tls(Partner),
        ["allowed-dns"] = Now(_ => Dns.GetHostAddresses(Partner).Length > 0),
        ["loopback"] = Now(_ => Loopback()),
    };
}
