/** A node as the Engine API shows it. Pure. */
import type { Entry } from '../../../bus/bus.ts';
import type { NodeRecord, NodeSpecRecord } from '../../../model/records.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { isoTime } from './dates.ts';
import { nodeState } from './node-state.ts';

/** The port new hosts join at: what `docker swarm join-token` prints behind the token. */
export const JOIN_PORT = 4222;

export function nodeView(snapshot: Snapshot, entry: Entry<NodeSpecRecord>): object {
  const { value: spec, revision } = entry;
  const node = snapshot.nodes.get(spec.id)?.value;
  const isManager = node?.manager ?? spec.role === 'manager';
  const liveness = snapshot.liveness.get(spec.id);
  const Message = liveness !== undefined && liveness.state !== 'ready' ? liveness.message : undefined;
  return {
    ID: spec.id,
    Version: { Index: revision },
    CreatedAt: isoTime(spec.createdAtMs),
    UpdatedAt: isoTime(spec.updatedAtMs),
    Spec: {
      Name: spec.name,
      Labels: spec.labels,
      Role: isManager ? 'manager' : 'worker',
      Availability: spec.availability,
    },
    Description: descriptionOf(node),
    Status: { State: nodeState(snapshot, spec.id), Message, Addr: node?.address ?? '' },
    ManagerStatus: isManager ? managerStatus(snapshot, spec.id, node) : undefined,
  };
}

function descriptionOf(node: NodeRecord | undefined): object {
  if (node === undefined) return { Hostname: '', Platform: {}, Resources: {}, Engine: {} };
  const { engine, resources } = node;
  return {
    Hostname: node.hostname,
    Platform: { Architecture: engine.architecture, OS: engine.os },
    Resources: { NanoCPUs: resources.nanoCpus, MemoryBytes: resources.memoryBytes },
    Engine: {
      EngineVersion: engine.version,
      Labels: engine.labels,
      Plugins: engine.plugins.map(({ type, name }) => ({ Type: type, Name: name })),
    },
  };
}

function managerStatus(snapshot: Snapshot, nodeId: string, node: NodeRecord | undefined): object {
  return {
    Leader: snapshot.leader?.nodeId === nodeId || undefined,
    Reachability: nodeState(snapshot, nodeId) === 'ready' ? 'reachable' : 'unreachable',
    Addr: `${node?.address ?? ''}:${JOIN_PORT}`,
  };
}
