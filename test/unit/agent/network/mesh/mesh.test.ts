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

function recordOf(nodeId: string, address: string, ports: MeshRecord['ports'] = []): MeshRecord {
  return { v: 1, nodeId, address, ports };
}

describe('Mesh', () => {
  let stored: unknown;
  let views: (MeshView | undefined)[];
  let announced: MeshRecord[];
  let clock: FakeClock;
  let ended: AbortController;
  const files: JsonFiles = {
    read: async () => stored,
    write: async (_path, value) => void (stored = value),
  };

  function begin(): Mesh {
    views = [];
    announced = [];
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
    mesh.announce = async (record) => void announced.push(record);
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
    await mesh.learn([recordOf(there, '10.0.0.2')]);
    mesh.setAddress('10.0.0.1');
    await eventually(() => views.length > 0);
    expect(announced).toEqual([]);

    await mesh.apply([web]);
    await eventually(() => announced.length > 0);
    expect(announced.at(-1)).toEqual(recordOf(here, '10.0.0.1', [port80]));
  });

  it('needs no tunnel while nobody publishes anything, or there is nobody else', async () => {
    const mesh = begin();
    mesh.setAddress('10.0.0.1');
    await mesh.learn([recordOf(there, '10.0.0.2')]);
    await mesh.apply([]);
    expect(views.at(-1)).toBeUndefined();

    await mesh.learn([]);
    await mesh.apply([web]);
    expect(views.at(-1)).toBeUndefined();
  });

  it('says that a task leaves before its container is told to stop, and gives that time', async () => {
    const mesh = begin();
    mesh.setAddress('10.0.0.1');
    await mesh.learn([recordOf(there, '10.0.0.2')]);
    await mesh.apply([web]);
    let isOver = false;
    const leaving = mesh.withdraw('web-1').then(() => {
      isOver = true;
    });

    await eventually(() => announced.at(-1)?.ports.length === 0);
    expect(isOver).toBe(false);
    await clock.advance(250);
    await leaving;
  });

  it('a new agent goes on with the numbers open connections are marked with, bus or not', async () => {
    const first = begin();
    first.setAddress('10.0.0.1');
    await first.learn([recordOf(here, '10.0.0.1'), recordOf(there, '10.0.0.2', [port80])]);
    await first.apply([]);
    await eventually(() => stored !== undefined);
    const before = views.at(-1);
    ended.abort();

    await begin().apply([]);

    expect(before?.peers).toMatchObject([{ nodeId: there, number: 1, address: '10.0.0.2', ports: [port80] }]);
    expect(views.at(-1)).toEqual(before);
  });
});
