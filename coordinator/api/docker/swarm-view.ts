/** The cluster as `GET /swarm` shows it. Pure. */
import type { Snapshot } from '../../store/snapshot.ts';
import { isoTime } from './dates.ts';

/** What `docker swarm update` may change of us; the rest of Swarm's settings has no counterpart. */
export function clusterView(snapshot: Snapshot, parts: { readonly clusterId: string; readonly caPem: string }): object {
  const entry = snapshot.cluster;
  const createdAt = isoTime(entry?.value.createdAtMs ?? 0);
  return {
    ID: parts.clusterId,
    Version: { Index: entry?.revision ?? 0 },
    CreatedAt: createdAt,
    UpdatedAt: entry === undefined ? createdAt : isoTime(entry.value.updatedAtMs),
    Spec: {
      Name: 'default',
      Labels: entry?.value.labels ?? {},
      Orchestration: { TaskHistoryRetentionLimit: entry?.value.taskHistoryLimit ?? 5 },
      ...fixedSettings,
    },
    TLSInfo: { TrustRoot: parts.caPem },
    RootRotationInProgress: false,
    DefaultAddrPool: null,
    SubnetSize: 24,
    DataPathPort: 4789,
  };
}

/** Settings of Swarm's own Raft, dispatcher and CA: shown because clients read them, refused when they would change. */
export const fixedSettings = {
  Raft: {},
  Dispatcher: { HeartbeatPeriod: 500_000_000 },
  CAConfig: {},
  TaskDefaults: {},
  EncryptionConfig: { AutoLockManagers: false },
} as const;
