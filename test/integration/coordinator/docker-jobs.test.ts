import { afterEach, beforeEach, expect, it } from 'vitest';
import type { StatusRecord } from '../../../model/status-record.ts';
import type { TaskRecord } from '../../../model/task-record.ts';
import { DockerApiServer } from '../../support/docker-api-server.ts';
import { eventually } from '../../support/eventually.ts';

const create = ['service', 'create', '--no-resolve-image', '--mode', 'replicated-job', '--name', 'job'];

let cluster: DockerApiServer;
const docker = async (...args: string[]) => cluster.docker(args);
const listed = async () => (await docker('service', 'ls', '--format', '{{.Mode}} {{.Replicas}}')).stdout.trim();

beforeEach(async () => {
  cluster = await DockerApiServer.start();
  await cluster.addNode('h1');
});

afterEach(() => cluster.stop());

/** The first `count` slots run; those in `complete` have ended well. */
async function run(count: number, complete: readonly number[]): Promise<TaskRecord[]> {
  const tasks = await cluster.runTasks('job', 'h1', {}, count);
  const ended: Partial<StatusRecord> = { state: 'complete', ready: false, final: true, message: 'finished' };
  for (const task of tasks.filter(({ slot }) => complete.includes(slot))) await cluster.report(task, ended);
  return tasks;
}

it('shows how far a job is, in the words of the CLI', async () => {
  await docker(...create, '--detach', '--replicas', '10', '--max-concurrent', '1', 'a:1');
  expect(await listed()).toBe('replicated job 0/0 (0/10 completed)');

  await run(4, [1, 2, 3]);

  await eventually(async () => expect(await listed()).toBe('replicated job 1/1 (3/10 completed)'));
  const { stdout } = await docker('service', 'ps', 'job', '--format', '{{.Name}} {{.DesiredState}} {{.CurrentState}}');
  expect(stdout).toMatch(/^job\.1 Complete Complete /m);
  expect(stdout).toMatch(/^job\.3 Complete Running /m);
});

it('is waited for until it has completed', async () => {
  const creating = docker(...create, '--detach=false', '--replicas', '2', 'a:1');
  await eventually(async () => expect(await listed()).toBe('replicated job 0/0 (0/2 completed)'));
  await run(2, [1, 2]);

  expect(await creating).toMatchObject({ code: 0, stdout: expect.stringContaining('job complete') });
});

it('begins a new run with every update, and counts that one alone', async () => {
  await docker(...create, '--detach', '--replicas', '2', 'a:1');
  await run(2, [1, 2]);
  const iteration = async () =>
    (await docker('service', 'inspect', 'job', '--format', '{{.JobStatus.JobIteration.Index}}')).stdout.trim();
  expect(await iteration()).toBe('0');

  const { code } = await docker('service', 'update', '--detach', '--force', 'job');

  expect(code).toBe(0);
  expect(await iteration()).toBe('1');
  expect(await listed()).toBe('replicated job 0/0 (0/2 completed)');
});

it('refuses what makes no sense for a job', async () => {
  const { code, stderr } = await docker(...create, '--detach', '--update-delay', '1s', 'a:1');

  expect(code).not.toBe(0);
  expect(stderr).toMatch(/job may not have update config|not supported for jobs/);
});
