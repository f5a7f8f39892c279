import { beforeEach, describe, expect, it } from 'vitest';
import type { IngressEndpoint, MeshView } from '../../../../../agent/network/ingress-table.ts';
import { Mesh } from '../../../../../agent/network/mesh/mesh.ts';
import type { MeshRecord } from '../../../../../model/mesh-record.ts';
import type { JsonFiles } from '../../../../../runtime/files.ts';
import { derivedId } from '../../../../../runtime/identifiers.ts';
import { createLog } from '../../../../../runtime/log.ts';
import { eventually } from '../../../../support/eventually.ts';
import { FakeClock } from '../../../../support/fake-clock.ts';
import { noPorts } from '../../../../support/no-ports.ts';

const [here, there] = [derivedId('node', 'here'), derivedId('node', 'there')];
const treatment = { affinity: 'none', masquerade: false } as const;
const web: IngressEndpoint = {
  taskId: 'web-1',
  protocol: 'tcp',
  publishedPort: 80,
  address: '172.17.0.2',
  targetPort: 8080,
  ...treatment,
};
const port80 = { protocol: 'tcp', port: 80, tasks: 1, ...treatment } as const;

const abilities = ['acknowledges', 'answers-probes'];

function recordOf(nodeId: string, address: string, ports: MeshRecord['ports'] = []): MeshRecord {
  return { v: 1, nodeId, address, ports };
}

describe('Mesh', () => {
  let stored: unknown;
  let views: (MeshView | undefined)[];
  let announced: MeshRecord[];
  /** Whom a task that leaves waits for, newest last. */
  let awaited: (readonly string[])[];
  let acknowledge: () => void;
  let clock: FakeClock;
  let ended: AbortController;
  const files: JsonFiles = {
    read: async () => stored,
    write: async (_path, value) => void (stored = value),
  };

  function begin(): Mesh {
    views = [];
    announced = [];
    awaited = [];
    ended = new AbortController();
    const mesh = new Mesh({
      nodeId: here,
      clusterId: 'c',
      stateDir: '/state',
      ports: { ...noPorts, applyMesh: async (view) => void views.push(view) },
      reach: async () => undefined,
      files,
      clock,
      log: createLog('test', 'silent'),
    });
    mesh.others = {
      tell: async (record) => void announced.push(record),
      haveHeard: (nodeIds) =>
        new Promise((resolve) => {
          awaited.push(nodeIds);
          acknowledge = resolve;
        }),
    };
    void mesh.watch(ended.signal);
    return mesh;
  }

  beforeEach(() => {
    stored = undefined;
    clock = new FakeClock();
    return () => ended.abort();
  });

  it('announces nothing before this host’s containers and its address are known', async () => {
    const mesh = begin();
    void mesh.learn([recordOf(there, '10.0.0.2')]);
    mesh.setAddress('10.0.0.1');
    await eventually(() => views.length > 0);
    expect(announced).toEqual([]);

    await mesh.apply([web]);
    await eventually(() => announced.length > 0);
    expect(announced.at(-1)).toEqual({ ...recordOf(here, '10.0.0.1', [port80]), abilities });
  });

  it('needs no tunnel while nobody publishes anything, or there is nobody else', async () => {
    const mesh = begin();
    mesh.setAddress('10.0.0.1');
    void mesh.learn([recordOf(there, '10.0.0.2')]);
    await mesh.apply([]);
    expect(views.at(-1)).toBeUndefined();

    void mesh.learn([]);
    await mesh.apply([web]);
    expect(views.at(-1)).toBeUndefined();
  });

  /** A node with a task on port 80 that hears of another node, and that task on its way out. */
  async function leavingBeside(other: MeshRecord) {
    const mesh = begin();
    mesh.setAddress('10.0.0.1');
    void mesh.learn([other]);
    await mesh.apply([web]);
    const state = { isOver: false };
    void mesh.withdraw('web-1').then(() => {
      state.isOver = true;
    });
    await eventually(() => announced.at(-1)?.ports.length === 0);
    return state;
  }

  it('says that a task leaves, and gives connections time once the others have said that they know', async () => {
    const leaving = await leavingBeside({ ...recordOf(there, '10.0.0.2'), abilities });
    await eventually(() => awaited.length > 0);
    await clock.advance(1_000);
    expect(leaving.isOver).toBe(false);

    acknowledge();
    await clock.advance(249);
    expect(leaving.isOver).toBe(false);
    await clock.advance(1);
    expect(leaving.isOver).toBe(true);
    expect(awaited).toEqual([[there]]);
  });

  it('waits for no agent that is too old to say so: it gives that time alone', async () => {
    const leaving = await leavingBeside(recordOf(there, '10.0.0.2'));
    await eventually(() => awaited.length > 0);
    expect(awaited).toEqual([[]]);
    acknowledge();
    await clock.advance(250);
    expect(leaving.isOver).toBe(true);
  });

  it('waits for a task as well that has left the list of ready ones before it is told to stop', async () => {
    const mesh = begin();
    mesh.setAddress('10.0.0.1');
    void mesh.learn([{ ...recordOf(there, '10.0.0.2'), abilities }]);
    await mesh.apply([web]);
    let isOver = false;

    await mesh.apply([]);
    void mesh.withdraw('web-1').then(() => {
      isOver = true;
    });
    await eventually(() => awaited.length > 0);
    expect([announced.at(-1)?.ports, awaited, isOver]).toEqual([[], [[there]], false]);
    acknowledge();
    await clock.advance(250);
    expect(isOver).toBe(true);

    mesh.forget('web-1');
    await mesh.withdraw('web-1');
    expect(awaited).toHaveLength(1);
  });

  it('waits for nothing when the task publishes no port', async () => {
    const mesh = begin();
    mesh.setAddress('10.0.0.1');
    void mesh.learn([{ ...recordOf(there, '10.0.0.2'), abilities }]);
    await mesh.apply([web]);

    await mesh.withdraw('db-1');

    expect(awaited).toEqual([]);
  });

  it('has learnt what its kernel has: not before the first list of tasks, until then another agent’s table serves', async () => {
    const mesh = begin();
    mesh.setAddress('10.0.0.1');
    let isLearnt = false;
    const learnt = mesh.learn([recordOf(there, '10.0.0.2', [port80])]).then(() => {
      isLearnt = true;
    });
    await eventually(() => views.length > 0);
    await clock.advance(10);
    expect(isLearnt).toBe(false);

    await mesh.apply([]);
    await clock.advance(10);
    await learnt;
    expect(views.at(-1)?.peers).toMatchObject([{ nodeId: there, ports: [port80] }]);
  });

  it('goes on as before when all announcements are lost, announces anew at once, and forgets who does not in time', async () => {
    const mesh = begin();
    const [own, other] = [recordOf(here, '10.0.0.1'), recordOf(there, '10.0.0.2', [port80])];
    mesh.setAddress('10.0.0.1');
    void mesh.learn([own, other]);
    await mesh.apply([]);
    await eventually(() => announced.length > 0);
    const [said, before] = [announced.length, views.at(-1)];

    void mesh.learn([]);
    await eventually(() => announced.length > said);
    void mesh.learn([own]);
    await clock.advance(10_000);
    expect(views.at(-1)).toEqual(before);

    await clock.advance(60_000);
    expect(views.at(-1)).toBeUndefined();
  });

  it('one node that is removed is gone at once', async () => {
    const mesh = begin();
    const [own, other] = [recordOf(here, '10.0.0.1'), recordOf(there, '10.0.0.2', [port80])];
    mesh.setAddress('10.0.0.1');
    void mesh.learn([own, other]);
    await mesh.apply([]);
    await eventually(() => views.at(-1) !== undefined);

    void mesh.learn([own]);
    await eventually(() => views.at(-1) === undefined);
  });

  it('knows which agents are older than the probes', async () => {
    const mesh = begin();
    void mesh.learn([recordOf(there, '10.0.0.2'), { ...recordOf(here, '10.0.0.1'), abilities }]);
    await eventually(() => mesh.isOlder(there));
    expect([mesh.isOlder(here), mesh.isOlder(derivedId('node', 'unknown'))]).toEqual([false, false]);
  });

  it('a new agent goes on with the numbers open connections are marked with, bus or not', async () => {
    const first = begin();
    first.setAddress('10.0.0.1');
    void first.learn([recordOf(here, '10.0.0.1'), recordOf(there, '10.0.0.2', [port80])]);
    await first.apply([]);
    await eventually(() => stored !== undefined);
    const before = views.at(-1);
    ended.abort();

    await begin().apply([]);

    expect(before?.peers).toMatchObject([{ nodeId: there, number: 1, address: '10.0.0.2', ports: [port80] }]);
    expect(views.at(-1)).toEqual(before);
  });
});
