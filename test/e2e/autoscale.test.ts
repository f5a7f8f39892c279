/** A service that scales itself by what its containers really use. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AutoscaleView } from '../../model/autoscale-view.ts';
import { type Cluster, sharedCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { builtPlim } from '../support/plim.ts';

const run = promisify(execFile);
const CHANGE_MS = 60_000;

/** Far less than a spinning container gets even on a busy machine: it asks for all that are allowed. */
const options = { min: '1', max: '3', cpu: '50%', 'warm-up': '1s', 'down-window': '3s' };

describe('a service that scales itself by its processor time', () => {
  let cluster: Cluster;
  const startedAtSeconds = Date.now() / 1_000;

  beforeAll(async () => {
    cluster = await sharedCluster();
    const labels = Object.entries(options).flatMap(([name, value]) => [
      '--label',
      `plimsoll.autoscale.${name}=${value}`,
    ]);
    const cpu = ['--reserve-cpu', '0.05', '--limit-cpu', '0.4'];
    // Spins for as long as the file is there.
    const work = 'while :; do if [ -e /busy ]; then :; else sleep 0.2; fi; done';
    await cluster.create('worker', ...labels, ...cpu, 'plimsoll/sleep:1', '/bin/sh', '-c', work);
    await cluster.settled('worker', 1);
  });

  afterAll(() => cluster.clear());

  async function plim(...words: string[]): Promise<string> {
    return (await run(process.execPath, [builtPlim(), ...words, '--socket', cluster.lab.clusterSocket])).stdout;
  }

  async function shown(): Promise<AutoscaleView> {
    return AutoscaleView.parse(JSON.parse(await plim('autoscale', 'show', 'worker', '--format', 'json')));
  }

  async function shownOnce(what: string, isIt: (view: AutoscaleView) => boolean): Promise<AutoscaleView> {
    const look = async () => {
      const view = await shown();
      return isIt(view) ? view : undefined;
    };
    return eventually(look, { timeoutMs: CHANGE_MS, intervalMs: 250, what });
  }

  /** Attributes of what `docker events` tells of services since the test began. */
  async function eventsOfServices(): Promise<string> {
    const times = ['--since', startedAtSeconds.toFixed(3), '--until', (Date.now() / 1_000).toFixed(3)];
    return cluster.docker('events', ...times, '--filter', 'type=service', '--format', '{{json .Actor.Attributes}}');
  }

  const wantedAndReady = () => cluster.docker('service', 'ls', '--format', '{{.Replicas}}');

  async function firstContainer(): Promise<string> {
    const filter = ['--filter', 'label=com.docker.swarm.service.name=worker'];
    return (await cluster.docker('ps', '--quiet', ...filter)).split('\n')[0] ?? '';
  }

  it('grows with its load and goes back to min in one direction, its specification untouched', async () => {
    const container = await firstContainer();
    await cluster.docker('exec', container, '/bin/touch', '/busy');
    const grown = await shownOnce('three ready replicas', ({ ready }) => ready === 3);
    expect(grown).toMatchObject({ replicas: 3, condition: expect.stringMatching(/^(following|at-max)$/) });
    expect(await wantedAndReady()).toBe('3/3');
    const why = /cpu is at \d+ % of its reservation, the target is 50 %/;
    expect(await plim('why', 'worker')).toMatch(new RegExp(`scaled to 3: ${why.source}`));
    const decisions = (await eventsOfServices()).split('\n').filter((line) => line.includes('"replicas.new":"3"'));
    expect(decisions).toContainEqual(expect.stringMatching(new RegExp(`"autoscale.cpu":"${why.source}"`)));

    await cluster.docker('service', 'update', '--detach', '--label-add', 'tier=first', 'worker');
    expect(await wantedAndReady()).toMatch(/\/3$/);
    await cluster.docker('service', 'rollback', '--detach', 'worker');
    expect(await wantedAndReady()).toMatch(/\/3$/);

    await cluster.docker('exec', container, '/bin/rm', '/busy');
    const counts: number[] = [];
    await shownOnce('one replica', ({ replicas }) => {
      counts.push(replicas);
      return replicas === 1;
    });
    expect(counts).toEqual(counts.toSorted((a, b) => b - a));
    expect(await cluster.docker('service', 'inspect', 'worker', '--format', '{{.Spec.Mode.Replicated.Replicas}}')).toBe(
      '1',
    );
  });

  it('keeps its count when its stack is deployed again, and the stack its own number', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'plimsoll-autoscale-'));
    const deploy = async (tier: string) => {
      const labels = {
        'plimsoll.autoscale.min': '1',
        'plimsoll.autoscale.max': '2',
        'plimsoll.autoscale.cpu': '50%',
        tier,
      };
      const spin = ['/bin/sh', '-c', 'while :; do :; done'];
      const resources = { limits: { cpus: '0.1' }, reservations: { cpus: '0.05' } };
      const busy = { image: 'plimsoll/sleep:1', command: spin, deploy: { replicas: 1, labels, resources } };
      writeFileSync(join(folder, 'stack.json'), JSON.stringify({ version: '3.8', services: { busy } }));
      await cluster.docker('stack', 'deploy', '-c', join(folder, 'stack.json'), 'scaled');
    };
    const inStack = () => cluster.docker('stack', 'services', '--format', '{{.Replicas}}', 'scaled');
    const grown = async () => (await inStack()) === '2/2';
    const spec = (format: string) => cluster.docker('service', 'inspect', 'scaled_busy', '--format', format);
    try {
      await deploy('first');
      await eventually(grown, { timeoutMs: CHANGE_MS, intervalMs: 250, what: 'two replicas in the stack' });
      await deploy('second');
      expect(await spec('{{index .Spec.Labels "tier"}} {{.Spec.Mode.Replicated.Replicas}}')).toBe('second 1');
      expect(await inStack()).toBe('2/2');
    } finally {
      await cluster.docker('stack', 'rm', 'scaled');
      rmSync(folder, { recursive: true });
    }
  });

  it('leaves a count set by hand alone, and announces it', async () => {
    const { code, stderr } = await cluster.try('service', 'scale', '--detach', 'worker=2');
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringMatching(/is left at 2 for 10m/) });
    const held = await shownOnce('a count held', ({ condition }) => condition === 'held');
    expect(held.replicas).toBe(2);
  });
});
