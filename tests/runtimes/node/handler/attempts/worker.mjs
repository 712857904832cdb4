// One attempt in a thread of its own.
import { parentPort, workerData } from "node:worker_threads";
import { attempt } from "./run.mjs";

parentPort.postMessage(await attempt(...workerData));
