import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { KernelFiles } from '../../../../agent/metrics/kernel-files.ts';
import { ProcessCounts } from '../../../../agent/metrics/process-counts.ts';

function counts() {
  return new ProcessCounts(new KernelFiles(0), '/proc');
}

function read(processes: ProcessCounts, id: string, pids: readonly number[]): Record<string, number | undefined> {
  const values: Record<string, number | undefined> = {};
  processes.read(id, pids, (metric, value, labels = '') => {
    values[metric + labels] = value;
  });
  return values;
}

function beginPass(processes: ProcessCounts, ...ids: string[]): void {
  processes.beginPass(new Set(ids));
}

describe('ProcessCounts on this machine', () => {
  it('counts descriptors, sockets and the limit of a real process', async () => {
    const child = spawn('cat', { stdio: ['pipe', 'pipe', 'ignore'] });
    onTestFinished(async () => {
      child.kill();
      await once(child, 'exit');
    });
    // Until it answers, its loader opens and closes libraries.
    child.stdin.write('ready\n');
    await once(child.stdout, 'data');
    const processes = counts();
    beginPass(processes, 'a');

    const values = read(processes, 'a', [child.pid ?? 0]);

    expect(values.container_file_descriptors).toBe(readdirSync(`/proc/${child.pid}/fd`).length);
    // Node gives a child a pair of sockets for a pipe.
    expect(values.container_sockets).toBe(2);
    expect(values['container_ulimits_softulimit="max_open_files"']).toBeGreaterThan(0);
    expect(values['container_tasks_statestate="iowaiting"']).toBe(0);
  });

  it('takes a process that has ended for none', () => {
    const processes = counts();
    beginPass(processes, 'a');

    const gone = 2 ** 22 + 1;
    expect(read(processes, 'a', [gone])).toMatchObject({
      container_file_descriptors: 0,
      'container_tasks_statestate="sleeping"': 0,
    });
  });

  it('shows no states and counts no descriptors of very many processes', () => {
    const processes = counts();
    beginPass(processes, 'a');
    const pids = Array.from({ length: 101 }, () => process.pid);

    const values = read(processes, 'a', pids);

    expect(values['container_tasks_statestate="running"']).toBe(0);
    expect(values).not.toHaveProperty('container_file_descriptors');
    expect(values).toHaveProperty('container_ulimits_softulimit="max_open_files"');
  });

  it('counts the sockets of a host with very many in turn, over several scrapes', async () => {
    const server = createServer();
    onTestFinished(() => void server.close());
    const processes = counts();
    const descriptors = readdirSync('/proc/self/fd').length;
    const many = Array.from({ length: Math.ceil(100 / descriptors) }, () => process.pid);
    beginPass(processes, 'a', 'b');
    const before = read(processes, 'a', many).container_sockets ?? 0;
    expect(read(processes, 'b', [process.pid]).container_sockets).toBeUndefined();
    server.listen(0);
    await once(server, 'listening');

    beginPass(processes, 'a', 'b');
    expect(read(processes, 'a', many).container_sockets).toBe(before);
    expect(read(processes, 'b', [process.pid]).container_sockets).toBeGreaterThan(0);

    beginPass(processes, 'a', 'b');
    expect(read(processes, 'a', many).container_sockets).toBeGreaterThan(before);
  });
});

describe('a stopped process', () => {
  it('is shown as stopped', async () => {
    const child = execFile('sleep', ['60']);
    onTestFinished(async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    });
    child.kill('SIGSTOP');
    const processes = counts();
    const stopped = () => {
      beginPass(processes, 'a');
      return read(processes, 'a', [child.pid ?? 0])['container_tasks_statestate="stopped"'];
    };

    await expect.poll(stopped).toBe(1);
  });
});
