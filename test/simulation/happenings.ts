/** What can happen to a simulated cluster: what users do and what breaks. Plain values, so that a history can be kept and cut. */
import { z } from 'zod';
import { bucketDefinitions } from '../../bus/bucket-definitions.ts';
import { imageKinds, jobImageKinds } from './world/images.ts';

const bucketNames = Object.keys(bucketDefinitions) as (keyof typeof bucketDefinitions)[];

const Host = z.string();
/** How long it lasts. */
const forMs = z.int().min(0);
/** A service by its place in the user's list. */
const service = z.int().min(0);
const image = z.enum([...imageKinds, ...jobImageKinds]);

export const Happening = z.discriminatedUnion('kind', [
  // users
  z.object({
    kind: z.literal('create'),
    service,
    image,
    /** Of a job: how many slots have to complete. */
    replicas: z.int().min(0),
    /** One task on each node, whatever `replicas` says. */
    global: z.boolean(),
    startsFirst: z.boolean(),
    parallelism: z.int().min(0),
    onFailure: z.enum(['pause', 'continue', 'rollback']),
    /** What its hosts do when they are cut off, and when; `keep` at once when absent. */
    failover: z.object({ onDisconnect: z.enum(['keep', 'stop']), afterMs: z.int().min(0) }).optional(),
    /** A job, of which so many slots run at a time. */
    job: z.object({ concurrent: z.int().min(1) }).optional(),
    /** Its tasks write to a named volume; whether a slot may begin elsewhere without it. */
    volume: z.object({ mayMove: z.boolean() }).optional(),
    /** Another service it wants to be near to, or apart from. */
    kin: z.object({ how: z.enum(['near', 'apart']), service }).optional(),
  }),
  z.object({ kind: z.literal('update'), service, image, version: z.int() }),
  z.object({ kind: z.literal('scale'), service, replicas: z.int().min(0) }),
  z.object({ kind: z.literal('roll-back'), service }),
  z.object({ kind: z.literal('remove'), service }),
  z.object({ kind: z.literal('drain'), host: Host, forMs }),
  // processes
  z.object({ kind: z.literal('crash'), what: z.enum(['agent', 'coordinator', 'engine', 'host']), host: Host, forMs }),
  z.object({ kind: z.literal('freeze'), what: z.enum(['agent', 'coordinator', 'engine']), host: Host, forMs }),
  z.object({ kind: z.literal('nats'), how: z.enum(['crashes', 'freezes', 'has no leader', 'lags']), forMs }),
  // the network
  z.object({ kind: z.literal('cut'), host: Host, forMs }),
  z.object({ kind: z.literal('cut-pair'), host: Host, other: Host, forMs }),
  z.object({
    kind: z.literal('link'),
    host: Host,
    how: z.enum(['slow', 'loses', 'repeats', 'reorders', 'has gaps', 'forgets acknowledgements']),
    forMs,
  }),
  // the store
  z.object({
    kind: z.literal('bucket'),
    bucket: z.enum(bucketNames),
    how: z.enum(['wiped', 'recreated', 'purged', 'restored']),
  }),
  /** Several at once: all the leader writes, or the whole store; restored together from one backup. */
  z.object({
    kind: z.literal('buckets'),
    of: z.enum(['leader', 'all']),
    how: z.enum(['wiped', 'recreated', 'restored']),
  }),
  // hosts
  z.object({ kind: z.literal('clock'), host: Host, byMs: z.int() }),
  z.object({
    kind: z.literal('engine'),
    host: Host,
    how: z.enum(['fails to start', 'fails to stop', 'loses answers', 'breaks events', 'hides events']),
    forMs,
  }),
  z.object({ kind: z.literal('container'), host: Host, index: z.int(), how: z.enum(['exits', 'oom', 'unhealthy']) }),
]);
export type Happening = z.infer<typeof Happening>;
export type HappeningKind = Happening['kind'];
export type HappeningOf<K extends HappeningKind> = Extract<Happening, { kind: K }>;

/** When something happens, in simulated time. */
export const HistoryEntry = z.object({ atMs: z.int().min(0), happening: Happening });
export type HistoryEntry = z.infer<typeof HistoryEntry>;

/** Everything a run follows from. */
export const History = z.object({
  seed: z.int(),
  minutes: z.number(),
  nodes: z.int().min(1),
  coordinators: z.int().min(1),
  entries: z.array(HistoryEntry),
});
export type History = z.infer<typeof History>;
