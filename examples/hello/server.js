// hello: an HTTP service that says which task of which service answers, and that fails on demand.
import { createServer } from 'node:http';
import { hostname } from 'node:os';

const identity = {
  service: process.env.PLIMSOLL_SERVICE ?? 'hello',
  task: process.env.PLIMSOLL_TASK ?? hostname(),
  node: process.env.PLIMSOLL_NODE ?? '',
  version: process.env.HELLO_VERSION ?? '1',
};
const port = Number(process.env.PORT ?? 80);
const maxBurnMs = 60_000;

const state = { failing: false, draining: false, inFlight: 0, requestsByRouteAndCode: new Map() };

/** Keeps one core busy in short slices, so that health checks still get their answer. */
async function burnCpu(durationMs) {
  const endMs = performance.now() + durationMs;
  while (performance.now() < endMs) {
    const sliceEndMs = Math.min(performance.now() + 10, endMs);
    while (performance.now() < sliceEndMs);
    await new Promise(setImmediate);
  }
}

/** The number in a query parameter, or undefined if it is not a whole number from 0 to max. */
function wholeNumber(url, name, fallback, max) {
  const text = url.searchParams.get(name) ?? String(fallback);
  const number = Number(text);
  return /^\d+$/.test(text) && number <= max ? number : undefined;
}

function json(code, body) {
  return { code, type: 'application/json', body: `${JSON.stringify(body)}\n` };
}

function refuseParameter(url, name, max) {
  return json(400, {
    message: `Parameter '${name}' must be a whole number from 0 to ${max}: it is '${url.searchParams.get(name)}'`,
  });
}

function setFailing(failing) {
  state.failing = failing;
  return json(200, { failing });
}

async function burn(url) {
  const durationMs = wholeNumber(url, 'ms', 100, maxBurnMs);
  if (durationMs === undefined) return refuseParameter(url, 'ms', maxBurnMs);
  await burnCpu(durationMs);
  return json(200, { ...identity, burntMs: durationMs });
}

/** Answers first, then ends the process with the code asked for. */
function exit(url, response) {
  const exitCode = wholeNumber(url, 'code', 1, 255);
  if (exitCode === undefined) return refuseParameter(url, 'code', 255);
  response.on('close', () => process.exit(exitCode));
  return json(200, { exitCode });
}

function metricsText() {
  const requests = [...state.requestsByRouteAndCode].map(
    ([labels, count]) => `hello_requests_total{${labels}} ${count}`,
  );
  return [
    '# HELP hello_requests_total Requests answered, by route and status code.',
    '# TYPE hello_requests_total counter',
    ...requests,
    '# HELP hello_requests_in_flight Requests being answered now.',
    '# TYPE hello_requests_in_flight gauge',
    `hello_requests_in_flight ${state.inFlight}`,
    '# HELP hello_failing Whether /healthz was told to fail.',
    '# TYPE hello_failing gauge',
    `hello_failing ${Number(state.failing)}`,
    '# HELP hello_build_info The version that runs.',
    '# TYPE hello_build_info gauge',
    `hello_build_info{version="${identity.version}"} 1`,
    '',
  ].join('\n');
}

/** An IPv4 client of a socket that listens on IPv6 too is shown as ::ffff:a.b.c.d. */
function clientAddress(request) {
  return request.socket.remoteAddress?.replace(/^::ffff:/, '');
}

const routes = new Map([
  ['GET /', (_url, _response, request) => json(200, { ...identity, client: clientAddress(request) })],
  ['GET /healthz', () => (state.failing ? json(503, { status: 'failing' }) : json(200, { status: 'ok' }))],
  ['GET /burn', burn],
  ['POST /fail', () => setFailing(true)],
  ['POST /recover', () => setFailing(false)],
  ['POST /exit', exit],
  ['GET /metrics', () => ({ code: 200, type: 'text/plain; version=0.0.4', body: metricsText() })],
]);

async function answer(request, response) {
  const url = new URL(request.url, 'http://hello');
  const route = `${request.method} ${url.pathname}`;
  const respond = routes.get(route);
  const { code, type, body } = respond
    ? await respond(url, response, request)
    : json(404, { message: `No route ${route}. There are: ${[...routes.keys()].join(', ')}` });
  countRequest(respond ? route : 'other', code);
  if (state.draining) response.setHeader('Connection', 'close');
  response.writeHead(code, { 'Content-Type': type }).end(body);
}

function countRequest(route, code) {
  const labels = `route="${route}",code="${code}"`;
  state.requestsByRouteAndCode.set(labels, (state.requestsByRouteAndCode.get(labels) ?? 0) + 1);
}

const server = createServer((request, response) => {
  state.inFlight += 1;
  response.on('close', () => {
    state.inFlight -= 1;
  });
  answer(request, response).catch((error) => {
    console.error('Cannot answer the request', error);
    response.destroy();
  });
});

/** Takes no new connections, answers what is in flight, then ends by itself: nothing is left to wait for. */
function drain(signal) {
  if (state.draining) process.exit(0);
  state.draining = true;
  console.log(`Draining after ${signal}: ${state.inFlight} requests in flight`);
  server.close();
}

process.on('SIGTERM', drain);
process.on('SIGINT', drain);
server.listen(port, () => console.log(`hello ${identity.version} listens on port ${port}`));
