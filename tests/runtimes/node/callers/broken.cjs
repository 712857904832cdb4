// Preloaded in front of node_callers.cjs: breaks what it stands on, in one way, where the sandbox's variable says.
'use strict';
const fs = require('node:fs');
const net = require('node:net');

const { removeListener } = net.Socket.prototype;
const write = fs.writeSync;
const fail = () => {
  throw new Error('broken');
};
const ways = {
  write: () => (fs.writeSync = (number, ...given) => (number > 2 ? fail() : write(number, ...given))),
  capture: () => (Error.captureStackTrace = fail),
  constant: () => Object.freeze(Error),
  format: () => Object.defineProperty(Error, 'prepareStackTrace', { value: String, writable: false }),
  limit: () => Object.defineProperty(Error, 'stackTraceLimit', { get: fail, set: fail }),
  file: () => (String.prototype.startsWith = fail),
  places: () => (Set.prototype.has = fail),
  listener: () => (net.Socket.prototype.prependListener = fail),
  no_listener: () => {
    let failed = 0; // once: listeners that stay make Node.js warn
    net.Socket.prototype.removeListener = function (name, ...given) {
      return name === 'connectionAttempt' && !failed++ ? fail() : removeListener.call(this, name, ...given);
    };
  },
  host: () => Object.defineProperty(net.Socket.prototype, '_host', { get: fail, set() {} }),
  text: () => Object.defineProperty(net.Socket.prototype, '_host', { value: { toString: fail }, writable: true }),
  // With dial's own as many as there may be without a warning.
  listeners: () => {
    const seen = new WeakSet();
    require('node:diagnostics_channel').subscribe('net.client.socket', ({ socket }) => {
      for (let i = 0; i < 9 && !seen.has(socket); i++) socket.on('close', () => {});
      seen.add(socket);
    });
  },
  microtask: () => (globalThis.queueMicrotask = fail),
};
ways[process.env.BROKEN]();
