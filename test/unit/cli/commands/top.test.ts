import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createColors } from 'picocolors';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runProgram } from '../../../../cli/program.ts';
import { derivedId } from '../../../../runtime/identifiers.ts';

const node = { id: derivedId('node'), name: 'h1', state: 'ready', cpuCores: 1, cpuTotalCores: 2, tasks: 1 };
const task = { id: derivedId('task'), name: 'web.1', node: 'h1', cpuCores: 0.25, memoryBytes: 1_048_576 };
const service = { id: derivedId('service'), name: 'web', tasks: 1, desired: 1, cpuCores: 0.25 };
const rows: Readonly<Record<string, object[]>> = {
  '/v1/usage/nodes': [node],
  '/v1/usage/services': [service],
  '/v1/usage/tasks': [task],
  '/v1/usage/calls': [{ from: 'web', to: 'api', connectionsPerSecond: 5 }],
};

describe('plim top', () => {
  let folder: string;
  let server: Server;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'plimsoll-top-'));
    server = createServer((request, response) => response.end(JSON.stringify(rows[request.url ?? ''])));
    await new Promise<void>((resolve) => server.listen(join(folder, 'socket'), resolve));
  });
  afterEach(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });

  async function top(...args: string[]): Promise<{ code: number; out: string; err: string }> {
    const written = { out: '', err: '' };
    const terminal = {
      out: (text: string) => void (written.out += text),
      err: (text: string) => void (written.err += text),
      colors: createColors(false),
      screenSize: () => undefined,
    };
    return { code: await runProgram(['top', '--socket', join(folder, 'socket'), ...args], terminal), ...written };
  }

  test.each([
    [[], 'NODE '],
    [['nodes'], 'h1  '],
    [['services'], 'web       1/1       25.00%'],
    [['calls'], 'web       api       5.0'],
    [['tasks', '--no-stream'], 'web.1     h1        25.00%    1MiB / --'],
  ])('%j prints one table where nobody watches', async (args, text) => {
    const { code, out } = await top(...args);

    expect(code).toBe(0);
    expect(out).toContain(text);
  });

  test('prints the rows for programs', async () => {
    expect(JSON.parse((await top('tasks', '--format', 'json')).out)).toEqual([task]);
  });

  test('names what there is to be seen', async () => {
    const { code, err } = await top('containers');

    expect(code).toBe(2);
    expect(err).toContain('Allowed choices are nodes, services, tasks, calls');
  });

  test('says that no coordinator answers', async () => {
    server.close();
    rmSync(join(folder, 'socket'), { force: true });

    expect(await top()).toMatchObject({ code: 3, err: expect.stringContaining('Cannot reach a coordinator') });
  });
});
