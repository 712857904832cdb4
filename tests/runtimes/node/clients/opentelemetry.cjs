// Preloaded: wraps what the clients stand on, as OpenTelemetry's own register does.
'use strict';
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http');
const { NetInstrumentation } = require('@opentelemetry/instrumentation-net');

for (const Instrumentation of [HttpInstrumentation, NetInstrumentation]) new Instrumentation();
