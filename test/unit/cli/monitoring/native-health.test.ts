import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { programProblem } from '../../../../cli/monitoring/native-health.ts';

describe('whether a program of monitoring is well', () => {
  let server: Server;
  let url: string;
  let status: number;

  beforeEach(async () => {
    status = 200;
    server = createServer((_, response) => response.writeHead(status).end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/-/ready`;
  });

  afterEach(() => new Promise((resolve) => server.close(resolve)));

  const unitsWith = (pid: number | undefined) => ({
    processId: async () => pid,
    logHint: (name: string) => `/log/${name}.log`,
  });
  const problemWith = (pid: number | undefined) => programProblem(unitsWith(pid), 'monitoring-prometheus', url);

  it('is when its process is the one that answers', async () => {
    expect(await problemWith(process.pid)).toBeUndefined();
  });

  it('is not when it answers with an error', async () => {
    status = 503;
    expect(await problemWith(process.pid)).toBe('it answers 503');
  });

  it('is not when its unit has no process, whoever answers', async () => {
    expect(await problemWith(undefined)).toBe('it does not run: /log/monitoring-prometheus.log');
  });

  it('is not when another process answers', async () => {
    expect(await problemWith(process.ppid)).toBe('another program answers there: /log/monitoring-prometheus.log');
  });
});
