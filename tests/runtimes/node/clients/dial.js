// Runs inside the sandbox: `dial.js <client>...`: each client connects to a host that is not listed, with its name in the log in
// front of it.
'use strict';
const { once } = require('node:events');
const fs = require('node:fs');
const { setTimeout: after } = require('node:timers/promises');

const HOST = 'evil.example';
const ended = (emitter) => Promise.race([once(emitter, 'error'), once(emitter, 'close'), after(1000)]);

const clients = {
  net: () => ended(require('node:net').connect(7001, HOST)),
  tls: () => ended(require('node:tls').connect(7002, HOST)),
  http: () => ended(require('node:http').get(`http://${HOST}:7003/`)),
  https: () => ended(require('node:https').get(`https://${HOST}:7004/`)),
  fetch: () => fetch(`http://${HOST}:7005/`),
  undici: () => require('undici').request(`http://${HOST}:7006/`),
  axios: () => require('axios').get(`http://${HOST}:7007/`),
  got: async () => (await import('got')).default(`http://${HOST}:7008/`, { retry: { limit: 0 } }),
  'node-fetch': async () => (await import('node-fetch')).default(`http://${HOST}:7009/`),
  openai: () => new (require('openai').default)({ apiKey: 'k', baseURL: `http://${HOST}:7010/`, maxRetries: 0 }).get('/'),
  stripe: () => new (require('stripe'))('sk_test_k', { host: HOST, port: 7011, protocol: 'http', maxNetworkRetries: 0 }).balance.retrieve(),
  '@aws-sdk/client-s3': () => {
    const { S3Client, ListBucketsCommand } = require('@aws-sdk/client-s3');
    const credentials = { accessKeyId: 'a', secretAccessKey: 's' };
    const client = new S3Client({ endpoint: `http://${HOST}:7012`, region: 'eu-west-1', credentials, maxAttempts: 1 });
    return client.send(new ListBucketsCommand({}));
  },
  ws: () => ended(new (require('ws').WebSocket)(`ws://${HOST}:7013`)),
  pg: () => new (require('pg').Client)({ host: HOST, port: 7014 }).connect(),
  mysql2: () => require('mysql2/promise').createConnection({ host: HOST, port: 7015 }),
  mongodb: () => new (require('mongodb').MongoClient)(`mongodb://${HOST}:7016`, { serverSelectionTimeoutMS: 300 }).connect(),
  ioredis: () => {
    const client = new (require('ioredis'))({ host: HOST, port: 7017, lazyConnect: true, retryStrategy: null });
    return client.on('error', () => {}).connect();
  },
  redis: () => {
    const socket = { host: HOST, port: 7018, reconnectStrategy: false };
    return require('redis').createClient({ socket }).on('error', () => {}).connect();
  },
  kafkajs: () => {
    const { Kafka, logLevel } = require('kafkajs');
    return new Kafka({ brokers: [`${HOST}:7019`], retry: { retries: 0 }, logLevel: logLevel.NOTHING }).producer().connect();
  },
  '@grpc/grpc-js': () => {
    const grpc = require('@grpc/grpc-js');
    const client = new grpc.Client(`dns:${HOST}:7020`, grpc.credentials.createInsecure());
    return new Promise((done) => client.waitForReady(Date.now() + 1000, done));
  },
  nodemailer: () => require('nodemailer').createTransport({ host: HOST, port: 7021 }).sendMail({ from: 'a@b.c', to: 'd@e.f' }),
  amqplib: () => require('amqplib').connect(`amqp://${HOST}:7022`),
  knex: () => require('knex')({ client: 'pg', connection: { host: HOST, port: 7023 } }).raw('select 1'),
};

async function main() {
  for (const name of process.argv.slice(2)) {
    fs.writeSync(2, `--- ${name}\n`);
    await Promise.race([Promise.resolve().then(clients[name]).catch(() => {}), after(3000)]);
    await after(50);
  }
  process.exit();
}

if (require.main === module) main();
else exports.clients = clients;
