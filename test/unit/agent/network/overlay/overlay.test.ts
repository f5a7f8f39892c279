import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { TaskHere } from '../../../../../agent/network/overlay/local-tasks.ts';
import { Overlay } from '../../../../../agent/network/overlay/overlay.ts';
import { type OverlayPlan, planOverlay } from '../../../../../agent/network/overlay/plan-overlay.ts';
import { networkLabels } from '../../../../../model/network-labels.ts';
import type { EndpointRecord, SubnetRecord } from '../../../../../model/network-records.ts';
import { derivedId } from '../../../../../runtime/identifiers.ts';
import { createLog } from '../../../../../runtime/log.ts';
import { FakeClock } from '../../../../support/fake-clock.ts';
import { aContainer, aTask } from '../../../../support/tasks.ts';

const nodeId = derivedId('node', 'own');
const back = derivedId('network', 'back');
const front = derivedId('network', 'front');

function range(networkId: string, subnet: string, node = nodeId): SubnetRecord {
  const network = { id: networkId, name: networkId.slice(0, 4), internal: false };
  return { v: 1, epoch: 1, kind: 'subnet', network, nodeId: node, nodeAddress: '192.0.2.1', subnets: [subnet] };
}

describe('the networks of a node', () => {
  let clock: FakeClock;
  let tasks: TaskHere[];
  let stop: AbortController;
  let overlay: Overlay;
  let watching: Promise<void>;
  /** What the host was told, in order; `(` and `)` around each call. */
  const told: string[] = [];
  let applied: OverlayPlan | undefined;
  let announced: readonly EndpointRecord[] = [];
  let othersHear: Promise<void>;
  let refusing: boolean;
  const stored = new Map<string, unknown>();

  const slowly = async (what: string) => {
    told.push(`(${what}`);
    await clock.sleep(5);
    told.push(`${what})`);
  };

  beforeEach(() => {
    clock = new FakeClock();
    tasks = [];
    told.length = 0;
    stored.clear();
    announced = [];
    othersHear = Promise.resolve();
    applied = undefined;
    refusing = false;
    stop = new AbortController();
    start();
  });

  function start(): void {
    overlay = new Overlay({
      nodeId,
      clusterId: 'c',
      stateDir: '/state',
      clock,
      log: createLog('test', 'silent'),
      tasks: () => tasks,
      files: {
        read: async (path) => stored.get(path),
        write: async (path, content) => void stored.set(path, JSON.parse(JSON.stringify(content))),
      },
      host: {
        apply: async (plan) => {
          await slowly('apply');
          if (refusing) throw new Error('nft refuses');
          applied = plan;
        },
        makeBridges: () => slowly('bridges'),
        check: async () => undefined,
        doubt: () => undefined,
      },
    });
    overlay.others = {
      tell: async (records) => {
        announced = records;
      },
      haveHeard: () => othersHear,
    };
    watching = overlay.watch(stop.signal);
  }

  afterEach(async () => {
    stop.abort();
    await clock.advance(10);
    await watching;
  });

  const onNetworks = (name: string, ...networks: string[]) => {
    const task = aTask({
      name,
      id: derivedId('task', name),
      template: { Networks: networks.map((Target) => ({ Target })) },
    });
    tasks.push({ record: task, containers: [] });
    return task;
  };

  async function passing<T>(work: Promise<T>, ms = 100): Promise<T> {
    await clock.advance(ms);
    return work;
  }

  test('nothing is touched for tasks on the engine’s own networks', async () => {
    await overlay.begin();
    expect(await passing(overlay.attach(aTask(), 1))).toEqual([]);
    await clock.advance(60_000);
    expect(told).toEqual([]);
  });

  test('a container gets an address on each network, known to the tables before it starts', async () => {
    await overlay.begin();
    const task = onNetworks('api', back, front);
    void overlay.learn([range(back, '10.200.0.0/26'), range(front, '10.200.1.0/26')], []);

    const places = await passing(overlay.attach(task, 1));

    expect(places.map(({ address, gateway, mac }) => ({ address, gateway, mac }))).toEqual([
      { address: '10.200.0.2', gateway: '10.200.0.1', mac: '02:42:0a:c8:00:02' },
      { address: '10.200.1.2', gateway: '10.200.1.1', mac: '02:42:0a:c8:01:02' },
    ]);
    expect(applied?.table.senders).toHaveLength(4);
    expect(announced.map(({ members, endpoints }) => [members, endpoints])).toEqual(
      [
        [['10.200.0.2', '10.200.1.2'], []],
        [['10.200.0.2', '10.200.1.2'], []],
      ].sort(),
    );
  });

  test('containers that come at once get different addresses, and the host is changed by one at a time', async () => {
    await overlay.begin();
    void overlay.learn([range(back, '10.200.0.0/26')], []);
    const attached = Promise.all(['a', 'b', 'c'].map((name) => overlay.attach(onNetworks(name, back), 1)));

    const places = (await passing(attached, 500)).flat();

    expect(new Set(places.map(({ address }) => address)).size).toBe(3);
    for (let index = 0; index < told.length; index += 2) {
      expect(told[index + 1]).toBe(`${told[index]?.slice(1)})`);
    }
  });

  test('waits for the leader’s range, and says so when none comes', async () => {
    await overlay.begin();
    const attached = overlay.attach(onNetworks('a', back), 1);
    attached.catch(() => undefined);
    await clock.advance(200);
    void overlay.learn([range(back, '10.200.0.0/26')], []);
    expect(await passing(attached)).toHaveLength(1);

    const vain = overlay.attach(onNetworks('b', front), 1);
    vain.catch(() => undefined);
    await clock.advance(6_000);
    await expect(vain).rejects.toMatchObject({ code: 'precondition' });
  });

  test('a node whose addresses are all taken says so, with the ranges', async () => {
    await overlay.begin();
    void overlay.learn([range(back, '10.50.0.0/29')], []);
    for (const name of ['a', 'b', 'c', 'd', 'e']) await passing(overlay.attach(onNetworks(name, back), 1));
    const vain = overlay.attach(onNetworks('f', back), 1);
    vain.catch(() => undefined);
    await clock.advance(6_000);
    await expect(vain).rejects.toThrow(/all addresses this node has of it are in use \(10\.50\.0\.0\/29\)/);
  });

  test('a task that leaves is out of every answer before it is told to stop', async () => {
    await overlay.begin();
    void overlay.learn([range(back, '10.200.0.0/26')], []);
    const task = onNetworks('db', back);
    await passing(overlay.attach(task, 1));
    overlay.take({ taskId: task.id, ready: true });
    await clock.advance(50);
    expect(announced[0]?.endpoints.map(({ address }) => address)).toEqual(['10.200.0.2']);

    let otherHears: () => void = () => undefined;
    othersHear = new Promise((resolve) => {
      otherHears = resolve;
    });
    let isOut = false;
    const leaving = overlay.withdraw(task.id).then(() => {
      isOut = true;
    });
    await clock.advance(1_500);
    expect(announced[0]?.endpoints).toEqual([]);
    expect(isOut).toBe(false);
    otherHears();
    await clock.advance(100);
    expect(isOut).toBe(false);
    // It has no virtual address: who asked for its name just now may still come.
    await clock.advance(1_250);
    await leaving;
    expect(announced[0]?.members).toEqual(['10.200.0.2']);
  });

  test('a task that is to stop is out of every table before the others are waited for', async () => {
    await overlay.begin();
    void overlay.learn([range(back, '10.200.0.0/26')], []);
    const task = onNetworks('db', back);
    await passing(overlay.attach(task, 1));
    overlay.take({ taskId: task.id, ready: true });
    await clock.advance(50);
    let asked: readonly EndpointRecord[] | undefined;
    overlay.others = {
      ...overlay.others,
      haveHeard: async () => {
        asked = announced;
      },
    };

    overlay.take({ taskId: task.id, ready: false });
    await passing(overlay.withdraw(task.id), 2_000);

    expect(asked?.[0]?.endpoints).toEqual([]);
  });

  test('while the host refuses, only the latest of what it learns are waited for', async () => {
    onNetworks('web', back);
    await overlay.begin();
    refusing = true;
    const heard: number[] = [];
    for (let index = 0; index < 200; index += 1) {
      void overlay.learn([range(back, '10.200.0.0/26')], []).then(() => heard.push(index));
      await clock.advance(10);
    }
    expect(heard).toEqual([]);
    refusing = false;
    await clock.advance(5_000);

    expect(heard.at(-1)).toBe(199);
    expect(heard.length).toBeLessThan(100);
  });

  test('says that it has learnt something when the host does so, and not before', async () => {
    onNetworks('db', back);
    await overlay.begin();
    let isLearnt = false;
    await clock.advance(10);
    void overlay.learn([range(back, '10.200.0.0/26')], []).then(() => {
      isLearnt = true;
    });
    await clock.advance(4);
    expect([isLearnt, applied]).toEqual([false, undefined]);
    await clock.advance(50);
    expect(isLearnt).toBe(true);
  });

  test('an agent that starts again knows its containers by their labels, without the bus', async () => {
    await overlay.begin();
    void overlay.learn([range(back, '10.200.0.0/26')], []);
    const task = onNetworks('db', back);
    await passing(overlay.attach(task, 1));
    stop.abort();
    await clock.advance(10);
    await watching;

    stop = new AbortController();
    const labels = { [networkLabels.addresses]: `${back}=10.200.0.2` };
    tasks = [{ record: task, containers: [aContainer(task, { phase: 'running', labels })] }];
    start();
    overlay.take({ taskId: task.id, ready: true });
    await overlay.begin();
    await clock.advance(50);

    expect(applied?.table.outbound).toEqual(['10.200.0.2']);
    expect(applied?.zone().networks[back]).toMatchObject({ 'db.1': ['10.200.0.2'] });
  });

  test('the kernel does not wait for the names, nor the names for a kernel that refuses', async () => {
    onNetworks('db', back);
    await overlay.begin();
    void overlay.learn([range(back, '10.200.0.0/26')], []);
    await clock.advance(2);
    expect([told, stored.size]).toEqual([['(apply'], 0]);

    await clock.advance(10);
    expect([...stored.keys()].sort()).toEqual(['/state/node/networks.json', '/state/node/zone.json']);

    stored.clear();
    refusing = true;
    void overlay.learn([range(back, '10.200.0.0/26'), range(front, '10.200.1.0/26')], []);
    await clock.advance(10);
    expect(stored.has('/state/node/zone.json')).toBe(true);
  });

  test('an emptied bucket takes no range from tasks that run', async () => {
    await overlay.begin();
    void overlay.learn([range(back, '10.200.0.0/26')], []);
    await passing(overlay.attach(onNetworks('db', back), 1));

    void overlay.learn([], []);
    await clock.advance(50);

    expect(applied?.bridges.map(({ subnet }) => subnet)).toEqual(['10.200.0.0/26']);
  });
});

test('a plan without tasks and ranges is nothing to do', () => {
  const plan = planOverlay({ nodeId, nets: [], endpoints: [], tasks: [] });
  expect(plan.tunnel).toBeUndefined();
  expect(plan.announcements).toEqual([]);
});
