/** A node as the Engine API shows it. Pure. */
import type { Entry } from '../../../bus/bus.ts';
import { genericToList } from '../../../model/generic-resources.ts';
import type { NodeRecord, NodeSpecRecord } from '../../../model/node-record.ts';
import { type ManagerStatus, managerStatusOf } from '../../store/manager-status.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { isoTime } from './dates.ts';
import { nodeState } from './node-state.ts';

/** What of the cluster stands in each of its nodes. */
export interface NodeViewParts {
  /** What `docker swarm join-token` prints behind the token. */
  readonly joinAddress: string;
  readonly caPem: string;
}

export function nodeView(snapshot: Snapshot, entry: Entry<NodeSpecRecord>, parts: NodeViewParts): object {
  const { value: spec, revision } = entry;
  const node = snapshot.nodes.get(spec.id)?.value;
  const status = managerStatusOf(snapshot, spec);
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
      Role: status === undefined ? 'worker' : 'manager',
      Availability: spec.availability,
    },
    // The CLI compares this with the cluster's own: every node trusts the one CA.
    Description: { ...descriptionOf(node), TLSInfo: { TrustRoot: parts.caPem } },
    Status: { State: nodeState(snapshot, spec.id), Message, Addr: node?.address ?? '' },
    ManagerStatus: status && managerView(status, parts.joinAddress),
  };
}

function descriptionOf(node: NodeRecord | undefined): object {
  if (node === undefined) return { Hostname: '', Platform: {}, Resources: {}, Engine: {} };
  const { engine, resources } = node;
  return {
    Hostname: node.hostname,
    Platform: { Architecture: engine.architecture, OS: engine.os },
    Resources: {
      NanoCPUs: resources.nanoCpus,
      MemoryBytes: resources.memoryBytes,
      GenericResources: resources.generic && genericToList(resources.generic),
    },
    Engine: {
      EngineVersion: engine.version,
      Labels: engine.labels,
      Plugins: engine.plugins.map(({ type, name }) => ({ Type: type, Name: name })),
    },
  };
}

function managerView(status: ManagerStatus, joinAddress: string): object {
  return {
    Leader: status === 'leader' || undefined,
    Reachability: status === 'leader' ? 'reachable' : status,
    Addr: joinAddress,
  };
}
