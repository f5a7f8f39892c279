/** Where a coordinator's APIs are served: everything on a unix socket, the read-only pages on TCP. */
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { dirname } from 'node:path';
import { PlimsollError } from '../runtime/errors.ts';
import type { DockerApi } from './api/docker/api.ts';
import type { NativeApi } from './api/native/native-api.ts';

/** Who may open the socket may do anything to the cluster, as with Docker's own. */
const SOCKET_MODE = 0o660;

export interface ServedApis {
  readonly docker: DockerApi;
  readonly native: NativeApi;
}

/** Serves both APIs on the socket. Throws `precondition` when a living process serves there already. */
export async function serveSocket(path: string, { docker, native }: ServedApis): Promise<Server> {
  await freeSocket(path);
  const server = createServer(byPath(docker.handler, native.local));
  server.on('upgrade', (request, socket, head) => docker.upgrade(request, socket, head));
  server.listen(path);
  await once(server, 'listening');
  chmodSync(path, SOCKET_MODE);
  return server;
}

/** Serves the read-only pages; answers the server and the port it got. */
export async function servePages(
  host: string,
  port: number,
  native: NativeApi,
): Promise<{ server: Server; port: number }> {
  const server = createServer(native.readOnly);
  server.listen(port, host);
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

export async function closeServer(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}

/** `/v1/...` is ours, `/v1.41/...` and plain paths are the Engine API's. */
function byPath(docker: RequestListener, native: RequestListener): RequestListener {
  const isNative = (url: string) => url.startsWith('/v1/') || /^\/(metrics|healthz|readyz)(\?|$)/.test(url);
  return (request, response) => (isNative(request.url ?? '') ? native : docker)(request, response);
}

/** Removes what a killed coordinator left behind, but never a socket that answers. */
async function freeSocket(path: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  if (!existsSync(path)) return;
  if (await answers(path)) {
    throw new PlimsollError(
      'precondition',
      `Cannot serve on ${path}: another process does; stop it or choose another --socket`,
    );
  }
  rmSync(path, { force: true });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const done = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
  });
}
