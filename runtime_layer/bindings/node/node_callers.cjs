'use strict';
// Preloaded into Node.js: asks the engine before V8's flags change, and where SHIELD_NODE_CALLERS is on, tells it the code that
// will connect, or start a program. The latter is a hint for people: no verdict depends on it. The engine reads lines written
// to a descriptor that no process can have:
//   f<flags>, then a line for each place: the flags, and the code that would change them; EACCES: they may not change
//   s<id> or x<id>, then a line for each place: a socket, or a program, and the code that asked for it
//   k<id> <host>, k<id> <ip> <port>: the host that the socket looks up, the address that it connects to
//   d<id>: the socket is closed, or the program was started
// Nothing else here may throw, print, or keep the process alive.
const safely = (act) => (...given) => {
  try {
    act(...given);
  } catch {} // no name
};

safely(() => {
  const { writeSync } = require('node:fs');
  const DESCRIPTOR = 0x7fffffff;
  const FRAMES = 48, PACKAGES = 12, BYTES = 1000, IDS = 65000, REQUESTS = 256;
  const { captureStackTrace } = Error;
  const { defineProperty, getOwnPropertyDescriptor } = Object;
  const { byteLength } = Buffer;
  const soon = queueMicrotask;

  // Other code may have set these, or made them constant.
  const withError = (name, value, act) => {
    const before = getOwnPropertyDescriptor(Error, name);
    defineProperty(Error, name, { value, configurable: true, writable: true });
    try {
      return act();
    } finally {
      if (before) defineProperty(Error, name, before);
      else delete Error[name];
    }
  };

  // The stack from the caller of `below` on. V8 makes its call sites when they are read.
  const stackBelow = (below) => {
    const stack = {};
    withError('stackTraceLimit', FRAMES, () => captureStackTrace(stack, below));
    return stack;
  };
  const sitesOf = (stack) => withError('prepareStackTrace', (_, sites) => sites, () => stack.stack);

  const pathOf = (file) => (file.startsWith('file://') ? decodeURIComponent(file.slice(7)) : file);

  // The innermost place of each package, a line each. Packages that wrap the calls of others are named only without others.
  const PACKAGE = /.*\/node_modules\/(?:@[^/]+\/)?[^/]+/;
  const WRAPPER = /\/node_modules\/(?:dd-trace$|newrelic$|@opentelemetry\/|@sentry\/)/;
  const placesOf = (stack) => {
    const seen = new Set();
    let places = '', wrappers = '';
    for (const site of sitesOf(stack)) {
      const file = site.getFileName();
      if (!file || file === __filename || file.startsWith('node:')) continue;
      const path = pathOf(file), key = PACKAGE.exec(path)?.[0] ?? path;
      if (seen.has(key)) continue;
      seen.add(key);
      const line = `\n${path}\t${site.getLineNumber()}\t${site.getFunctionName() ?? ''}`;
      if (byteLength(places + line) > BYTES || seen.size > PACKAGES) break;
      if (WRAPPER.test(key)) wrappers ||= line;
      else places += line;
    }
    return places || wrappers;
  };

  let last = 0, isRead = true;
  const send = (text) => {
    try {
      if (isRead) writeSync(DESCRIPTOR, text);
    } catch {
      isRead = false; // there is no engine, or it does not judge writes
    }
  };
  // The id, or 0 where no engine reads.
  const record = (kind, below, asked) => {
    const places = isRead && ((asked && placesOf(asked)) || placesOf(stackBelow(below)));
    if (!places) return 0;
    last = (last % IDS) + 1;
    send(`${kind}${last}${places}`);
    return isRead ? last : 0;
  };

  // Flags can take WebAssembly's bounds away, so that it reads and writes all of the process. Where they may not change, those
  // that only measure or limit are ignored.
  const TUNING = /^\s*--(?:no-?)?(?:detect|heap|initial|max|min|semi|stack|trace)\S*\s*$/;
  const ask = (change) =>
    function setFlagsFromString(flags) {
      if (typeof flags !== 'string') return change(flags); // an error of Node.js's own
      let places = '', refused = false;
      safely(() => (places = placesOf(stackBelow(setFlagsFromString))))();
      try {
        writeSync(DESCRIPTOR, `f${flags.slice(0, 200).replace(/\s+/g, ' ')}${places}`);
      } catch (error) {
        refused = error.code !== 'EBADF'; // there is no engine
      }
      if (!refused) return change(flags);
      if (TUNING.test(flags)) return undefined;
      const message = `shielded-function: V8's flags may not change (${flags}); list node-flags in allow_executable_memory`;
      throw Object.assign(new Error(message), { code: 'EACCES' });
    };
  safely(() => {
    const v8 = require('node:v8');
    v8.setFlagsFromString = ask(v8.setFlagsFromString);
    require('node:module').syncBuiltinESMExports(); // for `import`
  })();
  const { noDeprecation } = process; // of process.binding, which Node.js 24 no longer has for v8
  safely(() => {
    process.noDeprecation = true;
    const binding = process.binding('v8');
    binding.setFlagsFromString = ask(binding.setFlagsFromString);
  })();
  process.noDeprecation = noDeprecation;

  send('d0');
  if (!isRead) return;
  const { channel } = require('node:diagnostics_channel');
  const { EventEmitter } = require('node:events');
  // undici (`fetch` too) connects in a later turn if the request has a body. So the stack of such a request is kept until its
  // connection is made, or it is sent on an open one.
  const requests = new Map();
  let asked;
  const onRequest = safely(({ request }) => {
    if (!isRead || request.body == null) return;
    if (requests.size >= REQUESTS) requests.delete(requests.keys().next().value); // the oldest
    requests.set(request, stackBelow(onRequest));
  });
  const onRequestEnd = safely(({ request }) => requests.delete(request));
  const onConnect = safely(({ connectParams: { protocol, host } }) => {
    for (const [request, stack] of requests) {
      if ((request.origin.origin ?? request.origin) !== `${protocol}//${host}`) continue;
      requests.delete(request);
      asked = stack;
      soon(() => (asked = undefined));
      break;
    }
  });

  // In Node.js 20 the channel of sockets lacks TLS and `new Socket()`. A look-up in the same turn may belong to such a socket, so
  // it does not count for a socket whose host is not written yet.
  const isOld = process.version.startsWith('v20.');
  const onSocket = safely(({ socket }) => {
    const id = record('s', onSocket, asked);
    if (!id) return;
    if (isOld) send(`k${id} -`);
    soon(safely(() => send(`k${id} ${socket._host ?? ''}`)));
    const onAttempt = safely((ip, port) => send(`k${id} ${ip} ${port}`));
    const onClose = safely(() => {
      send(`d${id}`);
      socket.removeListener('connectionAttempt', onAttempt); // it may connect again
    });
    const most = EventEmitter.defaultMaxListeners; // 0: any number
    if (most && socket.getMaxListeners() === most) socket.setMaxListeners(most + 1); // room for this file's own
    socket.prependListener('connectionAttempt', onAttempt);
    socket.prependOnceListener('close', onClose);
  });
  const onProgram = safely(() => {
    const id = record('x', onProgram);
    if (id) soon(() => send(`d${id}`));
  });

  channel('net.client.socket').subscribe(onSocket);
  channel('child_process').subscribe(onProgram);
  channel('undici:request:create').subscribe(onRequest);
  channel('undici:client:beforeConnect').subscribe(onConnect);
  channel('undici:client:sendHeaders').subscribe(onRequestEnd);
  channel('undici:request:error').subscribe(onRequestEnd);
})();
