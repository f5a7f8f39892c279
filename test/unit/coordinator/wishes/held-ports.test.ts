import { beforeEach, describe, expect, test } from 'vitest';
import type { Bus } from '../../../../bus/bus.ts';
import { openStore, type Store } from '../../../../coordinator/store/store.ts';
import type { Wishes } from '../../../../coordinator/wishes/wishes.ts';
import type { HostPortNumber } from '../../../../model/host-ports.ts';
import type { PortConfig } from '../../../../model/service-spec.ts';
import { PlimsollError } from '../../../../runtime/errors.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { MemoryServer } from '../../../support/memory-bus.ts';
import { PlanWorld } from '../../../support/plan-world.ts';
import { aSpec } from '../../../support/snapshots.ts';
import { wishesOn } from '../../../support/wishes.ts';

const web: HostPortNumber = { protocol: 'tcp', port: 80 };

function publishing(PublishMode: PortConfig['PublishMode'], PublishedPort = 80) {
  return aSpec({ EndpointSpec: { Ports: [{ Protocol: 'tcp', TargetPort: 80, PublishedPort, PublishMode }] } });
}

describe('ports that programs on the nodes hold', () => {
  /** By node id; nodes that are not in it do not answer. */
  let held: Map<string, readonly HostPortNumber[]>;
  let world: PlanWorld;
  let store: Store;
  let wishes: Wishes;
  let [h1, h2] = ['', ''];

  beforeEach(async () => {
    const clock = new FakeClock();
    const connection = new MemoryServer({ clock }).connect();
    store = await openStore({ buckets: connection.buckets, clock });
    world = new PlanWorld();
    [h1, h2] = [world.addNode('h1'), world.addNode('h2')];
    held = new Map([h1, h2].map((id) => [id, []]));
    const askNode: Bus['askNode'] = async (nodeId, verb, { ports }: { ports: HostPortNumber[] }, reply) => {
      if (ports.length > 1_000) throw new PlimsollError('invalid', 'too many ports');
      const answer = verb === 'held-ports' ? held.get(nodeId) : undefined;
      if (answer === undefined) throw new PlimsollError('timeout', 'no answer');
      return reply.parse({ held: ports.filter(({ port }) => answer.some((each) => each.port === port)) });
    };
    wishes = wishesOn(store, connection, clock, {
      bus: { publishDurably: connection.bus.publishDurably.bind(connection.bus), askNode },
      snapshot: () => {
        const { nodes, nodeSpecs, liveness } = world.snapshot();
        return { ...store.snapshot(), nodes, nodeSpecs, liveness };
      },
    });
  });

  test('every node answers on an ingress port: one node’s program is enough to refuse it', async () => {
    held.set(h2, [web]);

    const words =
      "port '80/tcp' is already in use by another program on node h2: stop it, publish another port, or pause or drain the node";
    await expect(wishes.services.create(publishing('ingress'))).rejects.toMatchObject({
      code: 'invalid',
      message: words,
    });
    expect([...store.snapshot().services]).toEqual([]);
  });

  test('a port of the hosts is refused when no node has it free', async () => {
    held.set(h2, [web]);
    await wishes.services.create(publishing('host'));

    held.set(h1, [web]);
    const other = { ...publishing('host'), Name: 'other' };
    await expect(wishes.services.create(other)).rejects.toThrow('already in use by another program on nodes h1, h2');
  });

  test('an update is asked about ports it adds, not about those the service has', async () => {
    const { id } = await wishes.services.create(publishing('ingress'));
    const update = (port: number) =>
      wishes.services.update(id, publishing('ingress', port), store.snapshot().services.get(id)?.revision ?? 0);
    held.set(h1, [web, { protocol: 'tcp', port: 81 }]);

    await expect(update(80)).resolves.toBeDefined();
    await expect(update(81)).rejects.toThrow("port '81/tcp' is already in use");
  });

  test('what a node says that is drained or paused keeps nobody from a port', async () => {
    held.set(h1, [web]);
    held.set(h2, [web]);
    world.setAvailability(h1, 'drain');
    world.setAvailability(h2, 'pause');

    await expect(wishes.services.create(publishing('ingress'))).resolves.toBeDefined();
  });

  test('of many ports each is asked about', async () => {
    const ports = Array.from({ length: 1_500 }, (_, index): PortConfig => {
      return { Protocol: 'tcp', TargetPort: 80, PublishedPort: 10_000 + index, PublishMode: 'ingress' };
    });
    held.set(h1, [{ protocol: 'tcp', port: 11_400 }]);

    await expect(wishes.services.create(aSpec({ EndpointSpec: { Ports: ports } }))).rejects.toThrow("port '11400/tcp'");
  });

  test('a number of the dynamic range that a program of a node holds is given to nobody', async () => {
    const tcp = (port: number): HostPortNumber => ({ protocol: 'tcp', port });
    held.set(h1, [tcp(30_000), tcp(30_002)]);
    held.set(h2, [tcp(30_001)]);

    const { id } = await wishes.services.create(publishing('ingress', 0));

    expect(store.snapshot().services.get(id)?.value.ports).toMatchObject([{ PublishedPort: 30_003 }]);
  });

  test('where many in a row are held it is asked on until one is free; where all are, that is said', async () => {
    const first = (count: number) =>
      Array.from({ length: count }, (_, index): HostPortNumber => ({ protocol: 'tcp', port: 30_000 + index }));
    held.set(h1, first(350));
    const { id } = await wishes.services.create(publishing('ingress', 0));
    expect(store.snapshot().services.get(id)?.value.ports).toMatchObject([{ PublishedPort: 30_350 }]);

    held.set(h1, first(2_768));
    const other = { ...publishing('ingress', 0), Name: 'other' };
    await expect(wishes.services.create(other)).rejects.toThrow('no tcp port of 30000-32767 is free');
  });

  test('a service keeps the dynamic number it has, whoever waits on it by now', async () => {
    const { id } = await wishes.services.create(publishing('ingress', 0));
    held.set(h1, [{ protocol: 'tcp', port: 30_000 }]);
    const version = store.snapshot().services.get(id)?.revision ?? 0;

    await wishes.services.update(id, { ...publishing('ingress', 0), Labels: { tier: 'front' } }, version);

    expect(store.snapshot().services.get(id)?.value.ports).toMatchObject([{ PublishedPort: 30_000 }]);
  });

  test('a second port of the same target gets a number that no program holds, beside the one that is kept', async () => {
    const { id } = await wishes.services.create(publishing('ingress', 0));
    const port = { Protocol: 'tcp', TargetPort: 80, PublishMode: 'ingress' } as const;
    held.set(h1, [{ protocol: 'tcp', port: 30_001 }]);
    const numbers = () =>
      store
        .snapshot()
        .services.get(id)
        ?.value.ports.map(({ PublishedPort }) => PublishedPort);
    const ask = (...Ports: PortConfig[]) =>
      wishes.services.update(id, aSpec({ EndpointSpec: { Ports } }), store.snapshot().services.get(id)?.revision ?? 0);

    await ask(port, port);
    expect(numbers()).toEqual([30_000, 30_002]);

    await ask(port, { ...port, PublishedPort: 30_000 }, { ...port, PublishedPort: 30_002 });
    expect(numbers()).toEqual([30_003, 30_000, 30_002]);
  });

  describe('when an update is taken back', () => {
    let id: string;
    const version = () => store.snapshot().services.get(id)?.revision ?? 0;
    const ports = () => store.snapshot().services.get(id)?.value.ports;

    async function moved(from: number, to: number) {
      ({ id } = await wishes.services.create(publishing('ingress', from)));
      const TaskTemplate = { ContainerSpec: { Image: 'a:2' } };
      await wishes.services.update(id, { ...publishing('ingress', to), TaskTemplate }, version());
    }

    test('by a person, a number a program holds by now refuses it', async () => {
      await moved(80, 81);
      held.set(h2, [web]);

      await expect(wishes.services.rollback(id, version())).rejects.toThrow("port '80/tcp' is already in use");
      await expect(wishes.services.rollbackTo(id, 1)).rejects.toThrow("port '80/tcp' is already in use");
      expect(ports()).toMatchObject([{ PublishedPort: 81 }]);
    });

    test('because it failed, what ran before comes back, whoever holds its number', async () => {
      await moved(80, 81);
      held.set(h2, [web]);

      await wishes.services.undoUpdate(id, version());

      expect(ports()).toMatchObject([{ PublishedPort: 80 }]);
    });

    test('a dynamic number that a program holds is given to nobody', async () => {
      ({ id } = await wishes.services.create(publishing('ingress', 0)));
      const TaskTemplate = { ContainerSpec: { Image: 'a:2' } };
      await wishes.services.update(id, aSpec({ TaskTemplate }), version());
      held.set(h1, [{ protocol: 'tcp', port: 30_000 }]);

      await wishes.services.undoUpdate(id, version());

      expect(ports()).toMatchObject([{ PublishedPort: 30_001 }]);
    });
  });

  test('nodes that do not answer, or are not ready, hold nothing as far as is known', async () => {
    held.delete(h1);
    held.set(h2, [web]);
    world.setState(h2, 'lost');

    await expect(wishes.services.create(publishing('ingress'))).resolves.toBeDefined();
  });
});
