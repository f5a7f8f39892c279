/** Bytes nobody should send, to the sockets of the real coordinator: answered 4xx, nothing changed, memory bounded. */
import { createReadStream, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect, type NetConnectOpts } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, sharedCluster } from '../support/cluster.ts';

const MIB = 1024 * 1024;

interface Answer {
  readonly status: number;
  readonly body: string;
}

describe('bad input', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await sharedCluster();
    await cluster.create('web', 'plimsoll/sleep:1');
    await cluster.settled('web', 1);
  });

  afterAll(() => cluster.clear());

  const version = () => cluster.docker('service', 'inspect', 'web', '--format', '{{.Version.Index}} {{json .Spec}}');
  const processId = () =>
    Number(readFileSync(`/var/lib/plimsoll-${cluster.lab.name}/h1/pids/coordinator.pid`, 'utf8').trim());
  const residentBytes = () => {
    const status = readFileSync(`/proc/${processId()}/status`, 'utf8');
    return Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1]) * 1024;
  };
  const publicSide = (): NetConnectOpts => ({ host: cluster.host('h1').address, port: 7700 });
  const socket = (): NetConnectOpts => ({ path: cluster.lab.clusterSocket });

  function post(path: string, write: (sink: import('node:http').ClientRequest) => void): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const call = request({ socketPath: cluster.lab.clusterSocket, method: 'POST', path });
      call.setHeader('Content-Type', 'application/json');
      call.on('response', (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      });
      call.on('error', reject);
      write(call);
    });
  }

  const update = (id: string, body: string) => post(`/services/${id}/update?version=1`, (call) => call.end(body));

  it.each([
    ['{"Name":', /invalid JSON/],
    ['[]', /the body/],
    ['{"Name":7}', /Name/],
    [
      '{"Name":"web","TaskTemplate":{"ContainerSpec":{"Image":"a","Imagge":"b"}}}',
      /ContainerSpec\.Imagge: unknown field/,
    ],
    [
      '{"Name":"web","Mode":{"Replicated":{"Replicas":1.5}},"TaskTemplate":{"ContainerSpec":{"Image":"a"}}}',
      /Replicas/,
    ],
  ])('%s is refused by the name of its field', async (body, words) => {
    const before = await version();
    const answer = await update('web', body);
    expect(answer.status).toBe(400);
    expect(answer.body).toMatch(words);
    expect(await version()).toBe(before);
  });

  it.each([['the socket'], ['the public port']])('random bytes on %s', async (where) => {
    const before = await version();
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 2_000 }), async (bytes) => {
        const answer = await answerTo(where === 'the socket' ? socket() : publicSide(), Buffer.from(bytes));
        expect(answer === '' || /^HTTP\/1\.1 4\d\d /.test(answer)).toBe(true);
      }),
      { numRuns: 100 },
    );
    expect(await version()).toBe(before);
  });

  it('bodies of 50 MB, many at a time, with and without a length', async () => {
    const before = await version();
    const startBytes = residentBytes();
    const body = Buffer.alloc(50 * MIB, ' ');
    const sized = () => post('/services/create', (call) => call.end(body));
    const streamed = () =>
      post('/services/create', (call) => {
        createReadStream('/dev/zero', { end: 50 * MIB })
          .on('error', () => undefined)
          .pipe(call);
      });
    const answers = await Promise.allSettled([sized, streamed, sized, streamed, sized, streamed].map((send) => send()));
    // One that is refused before it has sent everything may see its connection closed instead.
    const statuses = answers.filter((answer) => answer.status === 'fulfilled').map((answer) => answer.value.status);
    expect(statuses.length).toBeGreaterThan(0);
    expect(new Set(statuses)).toEqual(new Set([413]));
    expect(residentBytes() - startBytes).toBeLessThan(100 * MIB);
    expect(await version()).toBe(before);
  });

  it('nothing that changes anything is served to other machines', async () => {
    for (const path of ['/services/create', '/v1.41/services/create', '/v1/join', '/containers/json', '/info']) {
      const answer = await fetch(`${cluster.lab.plimUrl}${path}`, { method: 'POST', body: '{}' });
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
    }
    expect((await fetch(`${cluster.lab.plimUrl}/services`)).status).toBe(404);
  });
});

/** What a server says to these bytes before it closes, or until we have waited for it to. */
function answerTo(where: NetConnectOpts, bytes: Buffer): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const connection = connect(where, () => connection.end(bytes));
    connection.setEncoding('latin1').on('data', (chunk) => (answer += String(chunk)));
    connection.on('error', () => undefined).on('close', () => resolve(answer));
  });
}
