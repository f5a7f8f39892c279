/** Settings of `plim agent`: flags, `PLIMSOLL_*`, config file; see runtime/settings.ts. */
import { z } from 'zod';

const HostDirectory = z.string().regex(/^\//, 'must be an absolute path');

export const DEFAULT_FILES_DIR = '/run/plimsoll/files';

export const AgentSettings = z.object({
  /** Holds node/identity.json, node/assignments.json, node/incarnation.json. */
  stateDir: z.string().default('/var/lib/plimsoll'),
  /** unix:///path or tcp://host:port of the Docker Engine. */
  docker: z.string().default('unix:///var/run/docker.sock'),
  /** IPv4 address other nodes reach this host at; found out when unset. */
  address: z.ipv4().optional(),
  /** Port of /metrics and /healthz. */
  port: z.coerce.number().int().min(0).max(65535).default(7701),
  logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  /** Containers created and started at the same time. */
  startsAtOnce: z.coerce.number().int().min(1).max(64).default(4),
  /** May the agent switch on "live-restore" in the configuration of this host's own engine? */
  manageLiveRestore: z.stringbool().or(z.boolean()).default(true),
  /** The engine's configuration file, read for log options and written for live-restore. */
  dockerConfigFile: z.string().default('/etc/docker/daemon.json'),
  /** Share of the engine's file system in use above which images nobody uses are removed. */
  imageCleanupAbove: z.coerce.number().min(0).max(1).default(0.85),
  /** Find out how much the containers' writable layers hold? A walk over all their files, in the background. */
  measureLayers: z.stringbool().or(z.boolean()).default(false),
  /** Where tasks' secrets and configs lie in clear; a tmpfs is mounted there unless it is in memory. The engine sees it under the same path. */
  filesDir: HostDirectory.default(DEFAULT_FILES_DIR),
  /** Where the host's /proc, /sys and / are seen from here: elsewhere when the agent runs in a container. */
  procRoot: HostDirectory.default('/proc'),
  sysRoot: HostDirectory.default('/sys'),
  rootfs: HostDirectory.default('/'),
});
export type AgentSettings = z.infer<typeof AgentSettings>;
