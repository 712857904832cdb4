// Runs inside the sandbox: `frames.js <what> <effort>`. Writes what was seen, as JSON.
'use strict';
const fs = require('node:fs');
const vm = require('node:vm');
const zlib = require('node:zlib');
const { Worker, isMainThread, workerData } = require('node:worker_threads');
const { frames, lookEach, looksSoFar, breakMemory } = require('./look_at_frames.node');

Error.stackTraceLimit = 1000;
const looks = [];

// What the walk sees, and what V8 says. Frames of no file (made by eval, builtins) have no lines that compare.
function look() {
  const got = frames();
  const said = {};
  const before = Error.prepareStackTrace;
  Error.prepareStackTrace = (_, sites) =>
    sites
      .filter((site) => !site.isAsync() && site.getFileName() && !site.isEval())
      .map((site) => `${site.getFileName()}|${site.getLineNumber()}`);
  Error.captureStackTrace(said, look);
  const expected = said.stack;
  Error.prepareStackTrace = before;
  looks.push([got, expected]);
}

class Thing {
  constructor(n) {
    this.n = n;
    look();
  }
  get seen() {
    look();
    return 1;
  }
  static all() {
    return [1, 2].map((v) => {
      look();
      return v;
    });
  }
  async method() {
    look();
    await null;
    look();
  }
  *generate() {
    look();
    yield 1;
    look();
  }
}

function deep(n) {
  if (n) return deep(n - 1);
  look();
  return n;
}

function ünï() {
  look();
}

// Operands that take two bytes and four.
const wide = new Function(
  'look',
  'let s = 0;\n' +
    Array.from({ length: 400 }, (_, i) => `var v${i} = { p${i}: ${i * 70000}, q: 'c${i}' }; s += v${i}.p${i};\n`).join('') +
    'look();\nreturn s;'
);
const wideFile = vm.runInThisContext(`(${wide.toString()})`, { filename: 'wide.js', lineOffset: 7 });
// Lines end in five ways, and characters may take two bytes.
const odd = vm.runInThisContext("(function odd(look) {\r\n'名';\rlook();\u2028look();\u2029\n\n  look();\n})", { filename: 'odd.js' });

async function workload() {
  void new Thing(1).seen;
  Thing.all();
  deep(20);
  ünï();
  wideFile(look);
  odd(look);
  for (const _ of new Thing(2).generate()) look();
  await new Thing(3).method();
  JSON.parse('{"a":1}', (k, v) => {
    look();
    return v;
  });
  [3, 1, 2].sort((a, b) => (look(), a - b));
  'abc'.replace(/b/, () => {
    look();
    return 'x';
  });
  void new Proxy({}, { get: () => look() }).foo;
  new Function('f', 'return f()')(look);
  eval('look()');
  Reflect.apply(look, null, []);
  look.bind(null)();
  await Promise.all([1, 2].map(async () => { await null; look(); }));
  setImmediate(() => look());
  process.nextTick(() => look());
  queueMicrotask(() => look());
  await new Promise((resolve) => setTimeout(resolve, 2));
  try {
    throw new Error('x');
  } catch {
    look();
  } finally {
    look();
  }
}

const places = (got) =>
  got
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split('|').slice(1).join('|'))
    .filter((place) => !place.startsWith('|'));

// In what V8 optimised, functions are inlined and lines are gone: what is seen is a part of what there is.
function isPart(seen, said) {
  let at = 0;
  for (const place of seen) {
    const [file, line] = place.split('|');
    while (at < said.length && !(line === '0' ? said[at].startsWith(`${file}|`) : said[at] === place)) at++;
    if (at++ === said.length) return false;
  }
  return true;
}

async function compare(rounds) {
  for (let i = 0; i < rounds; i++) await workload();
  const said = { looks: looks.length, frames: 0, whole: 0, lineless: 0, wrong: 0, first: [], cut: [] };
  for (const [got, expected] of looks) {
    const seen = places(got).slice(1); // look itself
    said.frames += seen.length;
    said.lineless += seen.filter((place) => place.endsWith('|0')).length;
    said.whole += seen.length === expected.length;
    said.wrong += !isPart(seen, expected);
    if (seen.length !== expected.length && said.cut.length < 2) said.cut.push([got, expected]);
    if (!isPart(seen, expected) && said.first.length < 2) said.first.push([seen, expected]);
  }
  return said;
}

// Garbage collection, compilation, exceptions, closures.
async function interrupt(effort) {
  const end = Date.now() + 1000 * effort;
  let keep = [];
  const next = async (n) => { await null; return n ? next(n - 1) : 0; };
  const worker = isMainThread ? new Worker(__filename, { argv: ['interrupt', effort], workerData: 'quiet' }) : null;
  lookEach(500);
  for (let round = 0; Date.now() < end; round++) {
    for (let i = 0; i < 2000; i++) keep.push({ i, s: 'x' + i, f: () => i });
    if (keep.length > 200000) keep = [];
    JSON.parse(JSON.stringify(keep.slice(0, 500)));
    [...'qwertyuiop'].sort(() => 0);
    new Function('a', `return a + ${round}`)(1);
    try {
      null.x;
    } catch (error) {
      void error.stack;
    }
    'abcabc'.replace(/b/g, (m) => m + 1);
    await next(20);
    zlib.gzipSync('x'.repeat(1000));
    fs.readFileSync('/etc/hosts');
  }
  if (worker) await new Promise((resolve) => worker.on('exit', resolve));
  if (isMainThread) lookEach(0);
  const [all, seen, empty] = looksSoFar();
  return { looks: all, frames: seen, empty };
}

function broken() {
  const [tried, longest] = breakMemory();
  return { tried, longest, after: frames().split('\n')[0].split('|')[0] };
}

const what = { compare, interrupt, broken, nothing: () => ({ frames: frames() }) };
(async () => {
  const said = await what[process.argv[2]](Number(process.argv[3]));
  if (workerData !== 'quiet') fs.writeSync(1, JSON.stringify(said));
})();
