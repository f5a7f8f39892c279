import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DockerEngine } from '../../../../agent/engine/docker-engine.ts';
import { containerLabels } from '../../../../model/labels.ts';
import { systemClock } from '../../../../runtime/clock.ts';
import { derivedId } from '../../../../runtime/identifiers.ts';
import { createLog } from '../../../../runtime/log.ts';

const cluster = derivedId('cluster');
const labels = {
  [containerLabels.cluster]: cluster,
  [containerLabels.task]: derivedId('task'),
  [containerLabels.service]: derivedId('service'),
  [containerLabels.slot]: '1',
  [containerLabels.revision]: '1',
  [containerLabels.attempt]: '1',
};
const row = (Id: string, State: string) => ({ Id, Names: [`/${Id}`], Image: 'a:1', Labels: labels, State });
const inspection = {
  Id: 'good',
  Name: '/good',
  Config: { Image: 'a:1', Labels: labels },
  State: {
    Status: 'running',
    Running: true,
    OOMKilled: false,
    Pid: 7,
    ExitCode: 0,
    Error: '',
    StartedAt: '2026-01-01T00:00:00Z',
    FinishedAt: '0001-01-01T00:00:00Z',
  },
  NetworkSettings: {},
};
const answers: Record<string, [status: number, body: unknown]> = {
  '/containers/json': [200, [row('good', 'running'), row('broken', 'running'), row('dead', 'exited')]],
  '/containers/good/json': [200, inspection],
  '/containers/broken/json': [500, { message: 'RWLayer of container broken is unexpectedly nil' }],
  '/images/create': [200, { status: 'Downloaded newer image' }],
  '/containers/dead/json': [500, { message: 'RWLayer of container dead is unexpectedly nil' }],
};

let folder: string;
let server: Server;
/** What the engine was shown of credentials, by path. */
let shownAuth: Map<string, unknown>;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-engine-'));
  shownAuth = new Map();
  server = createServer((req, res) => {
    const path = new URL(req.url ?? '/', 'http://engine').pathname;
    shownAuth.set(path, req.headers['x-registry-auth']);
    const [status, body] = answers[path] ?? [404, { message: 'page not found' }];
    res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(join(folder, 'docker.sock'), resolve));
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

describe('DockerEngine.listOwn()', () => {
  it('takes what the list says of containers the engine cannot inspect, instead of failing for all', async () => {
    const engine = new DockerEngine(`unix://${join(folder, 'docker.sock')}`, systemClock, createLog('test', 'silent'));

    const listed = await engine.listOwn(cluster);

    expect(listed.map(({ id, phase }) => `${id} ${phase}`)).toEqual(['good running', 'broken running', 'dead exited']);
  });
});

it('shows a registry credentials only where there are any', async () => {
  const engine = new DockerEngine(`unix://${join(folder, 'docker.sock')}`, systemClock, createLog('test', 'silent'));
  const { signal } = new AbortController();

  await engine.pull('web:1', signal, 'credentials');
  expect(shownAuth.get('/images/create')).toBe('credentials');

  await engine.pull('web:1', signal);
  expect(shownAuth.get('/images/create')).toBeUndefined();
});
