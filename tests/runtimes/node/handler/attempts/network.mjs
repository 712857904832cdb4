// Every way that Node.js has to talk to somebody: by a name of the attempt's own, by IPv4 and IPv6 address, and as the
// policy allows it. Servers note the attempt's name, which is the path of a request or all that is sent.
import dgram from "node:dgram";
import dns from "node:dns";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import tls from "node:tls";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import util from "node:util";

const IPV4 = "203.0.113.66";
const IPV6 = "2001:db8::66";
const NAME_SERVER = "203.0.113.53";
const ALLOWED = "api.partner.example";
const [HTTPS, PLAIN] = [443, 7000];

// The whole answer to a request, by the classic interface.
function requested(client, options) {
  return new Promise((resolve, reject) => {
    client.get({ agent: false, ...options }, (response) => resolve(text(response))).on("error", reject);
  });
}

// What comes back of the name, sent on a stream.
function echoed(name, options) {
  const socket = net.connect({ port: PLAIN, ...options }, () => socket.end(name));
  return text(socket);
}

// The same, as a request over TLS.
function encrypted(name, options) {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ port: HTTPS, ...options }, () => {
      socket.write(`GET /${name} HTTP/1.0\r\n\r\n`);
    });
    let body = "";
    socket.on("data", (chunk) => (body += chunk)).on("close", () => resolve(body.split("\r\n\r\n")[1]));
    socket.on("error", reject);
  });
}

// The same, as a datagram.
async function datagram(name, address, { type = "udp4", connected = false } = {}) {
  const socket = dgram.createSocket(type);
  const call = (method, ...given) => util.promisify(socket[method].bind(socket))(...given);
  try {
    const answer = once(socket, "message");
    answer.catch(() => {});
    if (connected) await call("connect", PLAIN, address);
    await call("send", name, ...(connected ? [] : [PLAIN, address]));
    return (await answer)[0].toString();
  } finally {
    socket.close();
  }
}

// Of some record types the name server knows none: that it was asked is what counts.
async function asked(question) {
  try {
    await question;
  } catch (error) {
    if (error.code !== "ENODATA") throw error;
  }
  return "asked";
}

function elsewhere(Resolver) {
  const resolver = new Resolver({ timeout: 1000, tries: 2 });
  resolver.setServers([NAME_SERVER]);
  return resolver;
}

const fetched = async (url, options) => (await fetch(url, options)).json();
const { promises } = dns;

export default {
  "http-name": ({ name, host }) => requested(http, { host, path: `/${name}` }),
  "http-address": ({ name }) => requested(http, { host: IPV4, path: `/${name}` }),
  "fetch-name": ({ name, host }) => fetched(`http://${host}/${name}`),
  "fetch-address6": ({ name }) => fetched(`http://[${IPV6}]/${name}`),
  "fetch-address": ({ name }) => fetched(`http://${IPV4}/${name}`),
  "net-name": ({ name, host }) => echoed(name, { host }),
  "net-address": ({ name }) => echoed(name, { host: IPV4 }),
  "net-address6": ({ name }) => echoed(name, { host: IPV6 }),
  "net-mapped": ({ name }) => echoed(name, { host: `::ffff:${IPV4}` }),
  "net-one-family": ({ name, host }) => echoed(name, { host, autoSelectFamily: false }),
  "net-other-port": ({ name }) => echoed(name, { host: ALLOWED, autoSelectFamily: false }),
  "net-own-lookup": ({ name }) => {
    const lookup = (host, options, done) => (options.all ? done(null, [{ address: IPV4, family: 4 }]) : done(null, IPV4, 4));
    return echoed(name, { host: ALLOWED, lookup });
  },
  "tls-name": ({ name, host }) => encrypted(name, { host, servername: host }),
  "tls-address": ({ name }) => encrypted(name, { host: IPV4, rejectUnauthorized: false }),
  "tls-foreign-name": ({ name, host }) => encrypted(name, { host: ALLOWED, servername: host, rejectUnauthorized: false }),
  "dgram-name": ({ name, host }) => datagram(name, host),
  "dgram-address": ({ name }) => datagram(name, IPV4),
  "dgram-address6": ({ name }) => datagram(name, IPV6, { type: "udp6" }),
  "dgram-mapped": ({ name }) => datagram(name, `::ffff:${IPV4}`, { type: "udp6" }),
  "dgram-connected": ({ name }) => datagram(name, IPV4, { connected: true }),

  "lookup": ({ host }) => promises.lookup(host),
  "resolve4": ({ host }) => util.promisify(dns.resolve4)(host),
  "resolve6": ({ host }) => promises.resolve6(host),
  "resolve-any": ({ host }) => asked(promises.resolveAny(host)),
  "resolve-txt": ({ host }) => asked(promises.resolveTxt(host)),
  "resolve-srv": ({ host }) => asked(promises.resolveSrv(`_http._tcp.${host}`)),
  "resolver": ({ host }) => new promises.Resolver().resolve4(host),
  "resolver-elsewhere": ({ host }) => elsewhere(promises.Resolver).resolve4(host),
  "resolver-allowed-name-elsewhere": () => elsewhere(promises.Resolver).resolve4(ALLOWED),

  "allowed-https": ({ name }) => requested(https, { host: ALLOWED, path: `/${name}` }),
  "allowed-fetch": ({ name }) => fetched(`https://${ALLOWED}/${name}`),
  "allowed-tls": ({ name }) => encrypted(name, { host: ALLOWED, servername: ALLOWED }),
  "allowed-lookup": () => promises.lookup(ALLOWED),
  "allowed-resolve": () => promises.resolve4(ALLOWED),
  "loopback-http": async ({ name }) => {
    const server = http.createServer((request, response) => response.end(request.url)).listen(0, "127.0.0.1");
    await once(server, "listening");
    try {
      return await requested(http, { host: "localhost", port: server.address().port, path: `/${name}` });
    } finally {
      server.close();
    }
  },
  "loopback-datagram": async ({ name }) => {
    const socket = dgram.createSocket("udp4").bind(0, "127.0.0.1");
    await once(socket, "listening");
    socket.send(name, socket.address().port, "127.0.0.1");
    const [message] = await once(socket, "message");
    socket.close();
    return message.toString();
  },
};
