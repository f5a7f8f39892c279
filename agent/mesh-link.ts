/**
 * The routing mesh's side of the bus: reads what the other nodes announce, and announces in turn. No leader is in the path.
 * What is announced is acknowledged by each node that has applied it, if its agent is one that does.
 */
import type { Buckets } from '../bus/buckets.ts';
import type { BucketView, Bus, Entry } from '../bus/bus.ts';
import { isAbleTo, MeshRecord } from '../model/mesh-record.ts';
import type { NodeRecord } from '../model/node-record.ts';
import { aborted } from '../runtime/aborted.ts';
import type { Clock } from '../runtime/clock.ts';
import { messageOf } from '../runtime/errors.ts';
import { keepTrying } from '../runtime/keep-trying.ts';
import type { Log } from '../runtime/log.ts';
import type { AgentMetrics } from './agent-metrics.ts';
import { Announcements, type Heard } from './announcements.ts';
import type { Mesh, OtherMeshNodes } from './network/mesh/mesh.ts';

const RETRY = { firstMs: 100, maxMs: 5_000 };

export interface MeshLinkParts {
  readonly nodeId: string;
  readonly mesh: Pick<Mesh, 'others' | 'learn' | 'setAddress'>;
  readonly describe: () => Promise<NodeRecord>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Pick<AgentMetrics, 'acknowledgementsMissing'>;
}

/** Until the signal aborts. */
export async function linkMesh(
  bus: Pick<Bus, 'publish' | 'subscribe' | 'connected'>,
  { meshes }: Pick<Buckets, 'meshes'>,
  parts: MeshLinkParts,
  signal: AbortSignal,
): Promise<void> {
  const { mesh, nodeId } = parts;
  const opened = await open(meshes, parts, signal);
  if (opened === undefined) return;
  const { view, address } = opened;
  const own = new Announcements({ ...parts, bus, bucket: meshes, view });
  mesh.others = new MeshOnTheBus(own, parts);
  const stopListening = own.listen();
  const learn = () => {
    const entries = [...view.entries.values()].sort((a, b) => a.revision - b.revision);
    const heard = entries.flatMap((entry) => heardOf(entry, nodeId));
    void mesh.learn(entries.map(({ value }) => value)).then(() => own.acknowledge(heard));
  };
  view.onChange(learn);
  mesh.setAddress(address);
  learn();
  await aborted(signal);
  stopListening();
  await view.close();
}

/** Those who wait for an answer; agents before them would take it for a damaged message. */
function heardOf({ key, value, revision }: Entry<MeshRecord>, nodeId: string): Heard[] {
  if (value.nodeId === nodeId || !isAbleTo('acknowledges', value)) return [];
  return [{ key, announcer: value.nodeId, revision }];
}

class MeshOnTheBus implements OtherMeshNodes {
  private readonly own: Announcements<MeshRecord>;
  private readonly parts: Pick<MeshLinkParts, 'nodeId' | 'log'>;
  private isToldUnfit = false;

  constructor(own: Announcements<MeshRecord>, parts: Pick<MeshLinkParts, 'nodeId' | 'log'>) {
    this.own = own;
    this.parts = parts;
  }

  async tell(record: MeshRecord): Promise<void> {
    // What nobody can read is heard here as well, as a change: announced, it would be announced again for ever.
    if (MeshRecord.safeParse(record).success) return this.own.tell(new Map([[this.parts.nodeId, record]]));
    const fields = { address: record.address };
    if (!this.isToldUnfit) this.parts.log.warn(fields, 'the routing mesh needs an IPv4 address of this node');
    this.isToldUnfit = true;
  }

  haveHeard(nodeIds: readonly string[]): Promise<void> {
    return this.own.haveHeard(() => {
      const revision = this.own.revisionOf(this.parts.nodeId);
      return revision === undefined ? [] : [{ revision, nodeIds }];
    });
  }
}

interface Opened {
  readonly view: BucketView<MeshRecord>;
  /** Of this node. */
  readonly address: string;
}

/** However long the engine and the bus take to answer; undefined when the signal aborts. */
function open(
  meshes: Buckets['meshes'],
  { describe, clock, log }: MeshLinkParts,
  signal: AbortSignal,
): Promise<Opened | undefined> {
  const onError = (error: unknown) =>
    log.warn({ error: messageOf(error) }, 'cannot watch the routing mesh of the cluster yet');
  const work = async () => {
    const { address } = await describe();
    return { address, view: await meshes.watch() };
  };
  return keepTrying(work, { clock, retry: RETRY, onError }, signal);
}
