/** The resolver of a host as a daemon of its own: what it knows lies in a file, so that agents may come and go. */
import { mkdirSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock } from '../../runtime/clock.ts';
import { messageOf } from '../../runtime/errors.ts';
import type { JsonFiles } from '../../runtime/files.ts';
import { Lifecycle } from '../../runtime/lifecycle.ts';
import type { Log } from '../../runtime/log.ts';
import { Poke, runLoop } from '../../runtime/loop.ts';
import { createForward, hostNameservers } from './forward.ts';
import { Listeners } from './listeners.ts';
import { Resolver } from './resolver.ts';
import { Zone, zonePath } from './zone.ts';

export interface ResolverSettings {
  readonly stateDir: string;
  readonly port: number;
}

export interface ResolverDaemonParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly files: JsonFiles;
}

/** The file is watched; this often it is read in any case. */
const REREAD_MS = 5_000;
/** A bridge that is about to come is waited for. */
const RETRY_MS = 200;
const EMPTY: Zone = { v: 1, listen: [], networks: {}, askers: {}, reverse: {} };

/** Resolves when it answers, or waits for something to answer about. */
export async function startResolver(
  settings: ResolverSettings,
  parts: ResolverDaemonParts,
): Promise<{ stop(): Promise<void> }> {
  const lifecycle = new Lifecycle(parts.log);
  const path = zonePath(settings.stateDir);
  let zone = EMPTY;
  const resolver = new Resolver({
    zone: () => zone,
    forward: createForward(parts.clock),
    nameservers: () => hostNameservers(),
    log: parts.log,
  });
  const listeners = new Listeners({ ...parts, resolver, port: settings.port });
  lifecycle.onStop('sockets', async () => void (await listeners.close()));
  const poke = new Poke();
  const tick = async () => {
    zone = await readZone(path, parts, zone);
    const missing = await listeners.keep(zone.listen);
    if (missing.length > 0) void parts.clock.sleep(RETRY_MS, lifecycle.signal).then(...ignoringAbort(poke));
  };
  lifecycle.onStop('file watch', watchFile(path, poke));
  const onError = (error: unknown) => parts.log.error({ error: messageOf(error) }, 'the resolver cannot keep up');
  const times = { minGapMs: 0, resyncMs: REREAD_MS, retryMs: RETRY_MS };
  const running = runLoop({ tick, poke, times, clock: parts.clock, onError }, lifecycle.signal);
  lifecycle.onStop('loop', () => running);
  return { stop: () => lifecycle.stop() };
}

function ignoringAbort(poke: Poke): [() => void, () => void] {
  return [() => poke.poke(), () => undefined];
}

/** What is known stays while the file cannot be read. */
async function readZone(path: string, { files, log }: ResolverDaemonParts, before: Zone): Promise<Zone> {
  try {
    const json = await files.read(path);
    return json === undefined ? EMPTY : Zone.parse(json);
  } catch (error) {
    log.error({ path, error: messageOf(error) }, 'cannot read the names of this host: answering from before');
    return before;
  }
}

/** The folder, because the file is replaced as a whole. */
function watchFile(path: string, poke: Poke): () => Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  const watcher = watch(dirname(path), (_event, name) => {
    if (name === null || path.endsWith(name)) poke.poke();
  });
  watcher.on('error', () => undefined);
  return async () => watcher.close();
}
