import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DockerPassage } from '../../../../agent/engine/engine-passage.ts';
import type { EngineSessionRequest } from '../../../../model/engine-session.ts';

describe('the passage to the engine', () => {
  const asked: string[] = [];
  let server: Server;
  beforeAll(async () => {
    server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      response.end('{}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => server.close());

  const open = async (method: EngineSessionRequest['method'], path: string) => {
    const passage = new DockerPassage(`tcp://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const request = { method, path, query: '', input: 'none' } as const;
    const chunks: string[] = [];
    for await (const chunk of passage.open(request, nothing(), new AbortController().signal)) {
      chunks.push(Buffer.from(chunk).toString());
    }
    return chunks;
  };

  it('answers the head, then the bytes as they are', async () => {
    expect(await open('GET', '/containers/c1/json')).toEqual([expect.stringContaining('"status":200'), '{}']);
    expect(asked).toEqual(['GET /containers/c1/json']);
  });

  it.each([
    ['POST', '/containers/create'],
    ['POST', '/containers/create?name=x/start'],
    ['POST', '/images/../containers/create/tag'],
    ['DELETE', '/images/..'],
    ['POST', '/containers/c1/start#x/start'],
    ['DELETE', '/containers/c1?force=1'],
    ['POST', '/networks/create'],
  ] as const)('refuses %s %s, and the engine hears nothing', async (method, path) => {
    asked.length = 0;
    await expect(open(method, path)).rejects.toMatchObject({ code: 'refused' });
    expect(asked).toEqual([]);
  });
});

async function* nothing(): AsyncGenerator<Uint8Array> {}
