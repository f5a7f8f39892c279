/** Garbage on every subject a coordinator or an agent listens to: dropped and counted, and both go on answering. */
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';
import { type RunningAgent, startAgent } from '../../agent/agent.ts';
import { planTask } from '../../agent/plan/plan-task.ts';
import { AgentSettings } from '../../agent/settings.ts';
import { subjects } from '../../bus/subjects.ts';
import { type CoordinatorCore, startCore } from '../../coordinator/core.ts';
import {
  Beat,
  ContainerListRequest,
  CoordinatorBeat,
  LogsRequest,
  OrphansReply,
  ProbeRequest,
  Usage,
} from '../../model/messages.ts';
import { systemClock } from '../../runtime/clock.ts';
import { derivedId, randomId } from '../../runtime/identifiers.ts';
import { createLog } from '../../runtime/log.ts';
import { coordinatorParts } from '../support/coordinator-parts.ts';
import { eventually } from '../support/eventually.ts';
import { FakeEngine } from '../support/fake-engine.ts';
import { type MemoryConnection, MemoryServer } from '../support/memory-bus.ts';
import { noFolder } from '../support/no-files.ts';
import { noOverlay } from '../support/no-overlay.ts';
import { noPorts } from '../support/no-ports.ts';
import { metricValue } from '../support/prometheus-text.ts';
import { spoiltJson } from './json-from-schema.ts';

const nodeId = derivedId('node', 'h1');
const otherNode = derivedId('node', 'h2');
const clusterId = derivedId('cluster');
const seed = Number(process.env['FUZZ_SEED'] ?? 20_261_123);
const runs = Number(process.env['FUZZ_RUNS'] ?? 400);

/** What is listened to, and what belongs there. */
const listened: readonly (readonly [subject: string, schema: z.ZodType])[] = [
  [subjects.beat(nodeId), Beat],
  [subjects.usage(nodeId), Usage],
  [subjects.coordinatorBeat, CoordinatorBeat],
  [subjects.leaderPing, z.object({})],
  [subjects.contact(nodeId), z.object({})],
  [subjects.rpc(nodeId, 'probe'), ProbeRequest],
  [subjects.rpc(nodeId, 'containers'), ContainerListRequest],
  [subjects.rpc(nodeId, 'inspect'), z.object({ id: z.string() })],
  [subjects.rpc(nodeId, 'instance'), z.object({})],
  [subjects.rpc(nodeId, 'orphans'), z.object({})],
  [subjects.rpc(nodeId, 'logs'), z.object({ streamId: z.string(), message: LogsRequest })],
  [subjects.rpc(nodeId, 'metrics'), z.object({ streamId: z.string(), message: z.object({}) })],
  [subjects.rpc(nodeId, 'unheard-of'), z.object({})],
  [subjects.streamControl(nodeId, 'stream'), z.object({ credit: z.number() })],
  [subjects.reply(nodeId, 'request'), z.object({ ok: z.unknown() })],
];

const encoder = new TextEncoder();
const bytes = (text: string) => encoder.encode(text);

/** Where the answer shall go; some of these are not the sender's to choose. */
const replies = fc.constantFrom(
  undefined,
  '_INBOX.stranger.1',
  `plim.reply.${nodeId}.x`,
  '$KV.plim_spec.service.x',
  subjects.beat(otherNode),
);

function messages(schema: z.ZodType): fc.Arbitrary<Uint8Array> {
  return fc.oneof(
    { weight: 6, arbitrary: spoiltJson(schema).map(({ json }) => bytes(JSON.stringify(json) ?? '')) },
    { weight: 2, arbitrary: fc.uint8Array({ maxLength: 300 }) },
    {
      weight: 1,
      arbitrary: fc
        .constantFrom('', '{', '"', 'NaN', '['.repeat(20_000), `"${'x'.repeat(1_000_000)}"`, '{"v":2}')
        .map(bytes),
    },
  );
}

let server: MemoryServer;
let core: CoordinatorCore;
let agent: RunningAgent;
let stranger: MemoryConnection;
let coordinatorMetrics: Registry;
let agentMetrics: Registry;

beforeEach(async () => {
  coordinatorMetrics = new Registry();
  agentMetrics = new Registry();
  server = new MemoryServer({ clock: systemClock });
  stranger = server.connect('stranger');
  core = await startCoordinator();
  agent = await startFakeAgent();
});

afterEach(async () => {
  await agent.stop();
  await core.lifecycle.stop();
});

it('is dropped and counted, and written nowhere; coordinator and agent go on', async () => {
  const known = await stranger.buckets.services.watch();
  await fc.assert(
    fc.asyncProperty(
      fc
        .constantFrom(...listened)
        .chain(([subject, schema]) => fc.tuple(fc.constant(subject), messages(schema), replies)),
      async ([subject, data, reply]) => {
        stranger.publish(subject, data, reply);
        await new Promise((resolve) => setImmediate(resolve));
      },
    ),
    { seed, numRuns: runs },
  );

  const orphans = await stranger.bus.askNode(nodeId, 'orphans', {}, OrphansReply, 10_000);
  expect(orphans).toEqual({ orphans: [] });
  expect(core.store.isCurrent).toBe(true);
  expect(core.store.damagedRecords()).toEqual([]);
  expect(known.entries.size).toBe(0);
  expect(server.store('plim_spec').content('service.>')).toEqual([]);
  await known.close();
  const dropped = async (registry: Registry, kind: string) =>
    metricValue(await registry.metrics(), 'plimsoll_bus_messages_dropped_total', { kind });
  expect(await dropped(coordinatorMetrics, 'beat')).toBeGreaterThan(0);
  expect(await dropped(coordinatorMetrics, 'usage')).toBeGreaterThan(0);
  expect(await dropped(agentMetrics, 'rpc')).toBeGreaterThan(0);
});

it("a beat that claims another node's name is not believed", async () => {
  const beat = { incarnation: 1, mainLoopAgeMs: 0, engineResponsive: true, epoch: 0 };
  for (let sequence = 1; sequence < 20; sequence += 1) {
    stranger.bus.publish(subjects.beat(nodeId), { ...beat, sequence, nodeId: otherNode });
  }
  stranger.bus.publish(subjects.beat(nodeId), { ...beat, sequence: 20, nodeId });
  await eventually(() => core.store.snapshot().liveness.has(nodeId), { what: 'the true beat is heard' });

  expect(core.store.snapshot().liveness.get(otherNode)).toBeUndefined();
});

it('damaged assignments start nothing and stop nothing on their node', async () => {
  for (const text of ['', '{"v":1}', '{"v":2,"desired":"stopped"}', 'x'.repeat(1_000_000), '['.repeat(50_000)]) {
    server.corrupt('plim_task', `${nodeId}.${derivedId('task', text.length)}`, text);
  }
  const quarantined = async () =>
    metricValue(await agentMetrics.metrics(), 'plimsoll_bus_records_quarantined_total', { bucket: 'plim_task' });
  await eventually(async () => (await quarantined()) >= 5, { what: 'the agent has met all of them' });

  expect(await stranger.bus.askNode(nodeId, 'orphans', {}, OrphansReply, 10_000)).toEqual({ orphans: [] });
  expect(server.store('plim_status').content('>')).toEqual([]);
  expect(core.store.damagedRecords().filter(({ bucket }) => bucket === 'plim_task')).toHaveLength(5);
});

function startCoordinator(): Promise<CoordinatorCore> {
  const connect = async () => server.connect('coordinator', { metrics: coordinatorMetrics });
  return startCore({ ...coordinatorParts(connect), metrics: coordinatorMetrics });
}

function startFakeAgent(): Promise<RunningAgent> {
  const saved = new Map<string, unknown>();
  return startAgent(AgentSettings.parse({ manageLiveRestore: false, address: '127.0.0.1' }), {
    identity: { nodeId, clusterId, natsUrls: ['nats'] },
    version: '0',
    clock: systemClock,
    log: createLog('test', 'silent'),
    metrics: agentMetrics,
    engine: new FakeEngine(),
    host: {
      hostname: () => 'h1',
      addressTowards: async () => '127.0.0.1',
      uplinkMtuBytes: async () => 1_500,
      hasCoordinator: () => false,
      uptime: () => ({ bootId: 'boot', sinceBootMs: 0 }),
      logsAreUnbounded: async () => false,
      killProcess: async () => undefined,
      diskUse: async () => 0,
    },
    volatileFolder: noFolder,
    files: {
      read: async (path) => saved.get(path),
      write: async (path, value) => void saved.set(path, value),
    },
    probe: async () => ({ reachable: false, error: 'no answer' }),
    newId: randomId,
    planTask,
    serveHttp: async (port) => ({ port, stop: async () => undefined }),
    connect: async (purpose) => server.connect(`agent-${purpose}`, { metrics: agentMetrics }),
    ports: noPorts,
    ...noOverlay,
    startBeats: () => ({ stop: async () => undefined }),
    passage: { open: () => Readable.from([]) },
    nodeMetrics: { page: async () => ({ pieces: [], release: () => undefined }), watch: async () => undefined },
    usageMeter: {
      host: () => undefined,
      container: () => undefined,
      forget: () => undefined,
      disk: async () => undefined,
    },
    monotonicNs: () => process.hrtime.bigint(),
  });
}
