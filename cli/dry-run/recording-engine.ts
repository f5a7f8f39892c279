/**
 * An Engine API that changes nothing: what a client reads comes from the cluster, what it would write is written down. So
 * the docker CLI itself says what a deployment is, in its own version and to the letter (decisions/0020).
 */
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { json as readJsonOf } from 'node:stream/consumers';
import { z } from 'zod';
import type { StackWish } from '../../model/stack-plan.ts';
import { messageOf, PlimsollError } from '../../runtime/errors.ts';
import { randomId } from '../../runtime/identifiers.ts';

export interface RecordingEngine {
  /** Everything a client would have written so far. */
  recorded(): Omit<StackWish, 'stack'>;
  close(): Promise<void>;
}

type Kind = 'networks' | 'secrets' | 'configs';

const Named = z.looseObject({ Name: z.string() });
const List = z.array(z.unknown());

interface Recording {
  readonly networks: StackWish['networks'];
  readonly secrets: StackWish['secrets'];
  readonly configs: StackWish['configs'];
  readonly services: { id?: string; spec: unknown }[];
  readonly removals: string[];
}

/** Serves on `socket`, a path; reads are passed on to the coordinator at `clusterSocket`. */
export async function startRecordingEngine(socket: string, clusterSocket: string): Promise<RecordingEngine> {
  const recording: Recording = { networks: [], secrets: [], configs: [], services: [], removals: [] };
  const server = createServer((req, res) => {
    answer(req, res, recording, clusterSocket).catch((error: unknown) => {
      sendJson(res, 502, { message: messageOf(error) });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(socket, resolve);
  });
  return { recorded: () => ({ ...recording }), close: () => closed(server) };
}

async function answer(
  req: IncomingMessage,
  res: ServerResponse,
  recording: Recording,
  clusterSocket: string,
): Promise<void> {
  const [path = ''] = (req.url ?? '').replace(/^\/v1\.\d+/, '').split('?');
  if (req.method === 'GET' || req.method === 'HEAD') return read(req, res, path, recording, clusterSocket);
  const [, kind = '', reference = '', action = ''] = path.split('/');
  if (req.method === 'DELETE' && kind === 'services') {
    recording.removals.push(decodeURIComponent(reference));
    return sendJson(res, 200, {});
  }
  if (req.method !== 'POST') return refuse(req, res);
  const body: unknown = await readJsonOf(req);
  if (kind === 'services' && reference === 'create') {
    recording.services.push({ spec: body });
    return sendJson(res, 201, { ID: randomId() });
  }
  if (kind === 'services' && action === 'update') {
    recording.services.push({ id: decodeURIComponent(reference), spec: body });
    return sendJson(res, 200, {});
  }
  if (isKind(kind) && reference === 'create') {
    const id = randomId();
    recording[kind].push({ id, name: Named.parse(body).Name });
    return sendJson(res, 201, { ID: id, Id: id, Warning: '' });
  }
  // A stack says its secrets and configs again each time; that their content is another shows at the real deployment.
  if ((kind === 'secrets' || kind === 'configs') && action === 'update') return sendJson(res, 200, {});
  return refuse(req, res);
}

function isKind(kind: string): kind is Kind {
  return kind === 'networks' || kind === 'secrets' || kind === 'configs';
}

/** Lists get what would have been made, whatever the filter: the CLI looks for exact names itself. */
async function read(
  req: IncomingMessage,
  res: ServerResponse,
  path: string,
  recording: Recording,
  clusterSocket: string,
): Promise<void> {
  const answered = await passOn(req, clusterSocket);
  const kind = path.slice(1);
  if ((kind !== 'secrets' && kind !== 'configs') || answered.statusCode !== 200) {
    res.writeHead(answered.statusCode ?? 502, answered.headers);
    answered.pipe(res);
    return;
  }
  const made = recording[kind].map(({ id, name }) => ({ ID: id, Spec: { Name: name } }));
  sendJson(res, 200, [...List.parse(await readJsonOf(answered)), ...made]);
}

function passOn({ method, url, headers }: IncomingMessage, socketPath: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, method, path: url, headers }, resolve);
    asked.once('error', (error) => {
      const words = `Cannot reach a coordinator at ${socketPath}: ${error.message}`;
      reject(new PlimsollError('unavailable', words, { cause: error }));
    });
    asked.end();
  });
}

function refuse({ method, url }: IncomingMessage, res: ServerResponse): void {
  sendJson(res, 501, { message: `plim plan writes nothing, and does not know what ${method} ${url} would do` });
}

function sendJson(res: ServerResponse, status: number, body: unknown): void {
  if (res.headersSent) return void res.destroy();
  res.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
