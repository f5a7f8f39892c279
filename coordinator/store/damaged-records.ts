/** Records that do not fit their schema or their key: what and where they are, and what can be done. Pure. */
import type { DamagedRecord } from '../../model/native-api.ts';
import type { WatchedBucket } from './store.ts';

const RESTORE = 'restore the bucket from a backup, or bring coordinators to one version if a newer one wrote it';

/** Where records lie in NATS: the bucket, and what stands before their keys in it; and who can write them anew. */
const places: Readonly<
  Record<WatchedBucket, { readonly bucket: string; readonly prefix: string; readonly advice: string }>
> = {
  services: { bucket: 'plim_spec', prefix: 'service.', advice: `its tasks run on unchanged; ${RESTORE}` },
  networks: { bucket: 'plim_spec', prefix: 'network.', advice: `its tasks run on unchanged; ${RESTORE}` },
  secrets: { bucket: 'plim_spec', prefix: 'secret.', advice: `tasks that run keep it; ${RESTORE}` },
  configs: { bucket: 'plim_spec', prefix: 'config.', advice: `tasks that run keep it; ${RESTORE}` },
  volumes: { bucket: 'plim_spec', prefix: 'volume.', advice: `nodes that have it keep it; ${RESTORE}` },
  alerts: { bucket: 'plim_spec', prefix: 'alert.', advice: `delete it: alerts that fire are told anew` },
  nodeSpecs: { bucket: 'plim_spec', prefix: 'node.', advice: RESTORE },
  clusters: { bucket: 'plim_spec', prefix: 'cluster.', advice: RESTORE },
  nodes: { bucket: 'plim_node', prefix: '', advice: "restart this node's agent: it describes the node anew" },
  statuses: {
    bucket: 'plim_status',
    prefix: '',
    advice: "this node's agent writes it anew with the task's next change, or when it is restarted",
  },
  leases: { bucket: 'plim_lease', prefix: '', advice: 'nothing: it lives three seconds' },
  slots: { bucket: 'plim_slot', prefix: '', advice: RESTORE },
  tasks: { bucket: 'plim_task', prefix: '', advice: `its container runs on unchanged; ${RESTORE}` },
  rollouts: { bucket: 'plim_rollout', prefix: '', advice: RESTORE },
  scales: { bucket: 'plim_scale', prefix: '', advice: RESTORE },
  nets: { bucket: 'plim_net', prefix: '', advice: RESTORE },
};

/** A damaged record as people are told of it. */
export function describeDamage(watched: WatchedBucket, key: string, problem: string): DamagedRecord {
  const { bucket, prefix, advice } = places[watched];
  return { bucket, key: prefix + key, problem, advice };
}
