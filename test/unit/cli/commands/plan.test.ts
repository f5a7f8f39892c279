import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createColors } from 'picocolors';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runProgram } from '../../../../cli/program.ts';
import { derivedId } from '../../../../runtime/identifiers.ts';

const homeless = [{ service: 'web', slot: 1, reason: 'no suitable node' }];
const losses: Readonly<Record<string, object>> = {
  '/v1/plan/loss/h1': { node: { id: derivedId('h1'), name: 'h1' }, tasks: 2, homeless },
  '/v1/plan/loss/h2': { node: { id: derivedId('h2'), name: 'h2' }, tasks: 2, homeless: [] },
};

describe('plim plan --lose', () => {
  let folder: string;
  let server: Server;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'plimsoll-plan-'));
    server = createServer((request, response) => response.end(JSON.stringify(losses[request.url ?? ''])));
    await new Promise<void>((resolve) => server.listen(join(folder, 'socket'), resolve));
  });
  afterEach(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });

  async function planLoss(...args: string[]) {
    const written = { out: '', err: '' };
    const code = await runProgram(['plan', '--lose', ...args, '--socket', join(folder, 'socket')], {
      out: (text) => {
        written.out += text;
      },
      err: (text) => {
        written.err += text;
      },
      screenSize: () => undefined,
      colors: createColors(false),
    });
    return { code, ...written };
  }

  test('ends with 1 when a task would find no place, and with 0 when every task would', async () => {
    const bad = await planLoss('h1');

    expect(bad).toMatchObject({ code: 1, err: 'plim: 1 task would find no place without h1\n' });
    expect(bad.out).toContain('web.1     no suitable node');
    expect(await planLoss('h2')).toMatchObject({ code: 0, err: '' });
  });

  test('gives programs the whole answer', async () => {
    const { code, out } = await planLoss('h1', '--format', 'json');

    expect(code).toBe(1);
    expect(JSON.parse(out)).toEqual(losses['/v1/plan/loss/h1']);
  });
});
