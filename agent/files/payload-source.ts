/**
 * The contents of secrets and configs on this node: asked of the cluster once, kept on disk sealed to this node, opened only
 * to be put into a container's files. So a host that boots without the bus still starts its tasks.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { createSealingKeys, openSealed, type SealingKeys } from '../../bus/identity/sealing.ts';
import { type PayloadKind, SealedPayload } from '../../model/payload.ts';
import { messageOf, PlimsollError } from '../../runtime/errors.ts';
import type { JsonFiles } from '../../runtime/files.ts';
import type { Log } from '../../runtime/log.ts';

/** The content is not here and could not be had now: no fault of the task, to be tried again. */
export class PayloadAwayError extends PlimsollError {}

export interface WantedPayload {
  readonly taskId: string;
  readonly kind: PayloadKind;
  readonly id: string;
  /** For people. */
  readonly name: string;
}

export interface Payload {
  readonly isTemplate: boolean;
  readonly content: Uint8Array;
}

export interface PayloadSourceParts {
  readonly files: JsonFiles;
  readonly stateDir: string;
  readonly log: Log;
  /** Asks the cluster. Throws `unavailable` or `timeout` while it does not answer. */
  readonly ask: (request: {
    taskId: string;
    kind: PayloadKind;
    id: string;
    publicKey: string;
  }) => Promise<SealedPayload>;
}

const StoredPayloads = z.object({
  v: z.literal(1),
  keys: z.object({ seed: z.string(), publicKey: z.string() }),
  /** By `<kind>.<id>`. */
  payloads: z.record(z.string(), SealedPayload),
});

interface Held {
  /** Made when a content is first asked for. */
  keys: SealingKeys | undefined;
  readonly payloads: Map<string, SealedPayload>;
}

export class PayloadSource {
  private readonly parts: PayloadSourceParts;
  private held: Promise<Held> | undefined;
  private lastWrite: Promise<void> = Promise.resolve();

  constructor(parts: PayloadSourceParts) {
    this.parts = parts;
  }

  /** Throws PayloadAwayError while it cannot be had, `not-found` when the cluster has none, `refused` when it is not ours. */
  async payload({ taskId, kind, id, name }: WantedPayload): Promise<Payload> {
    const held = await this.load();
    held.keys ??= createSealingKeys();
    const { seed, publicKey } = held.keys;
    const key = keyOf({ kind, id });
    const known = held.payloads.get(key);
    const sealed = known ?? (await this.ask({ taskId, kind, id, publicKey }, name));
    const content = openSealed(seed, sealed);
    if (known === undefined) {
      held.payloads.set(key, sealed);
      await this.store(held);
    }
    return { isTemplate: sealed.isTemplate, content };
  }

  /** Forgets what no task of this node refers to any more. */
  async keepOnly(used: readonly { readonly kind: PayloadKind; readonly id: string }[]): Promise<void> {
    const held = await this.load();
    const needed = new Set(used.map(keyOf));
    const surplus = [...held.payloads.keys()].filter((key) => !needed.has(key));
    if (surplus.length === 0) return;
    for (const key of surplus) held.payloads.delete(key);
    await this.store(held);
  }

  private async ask(request: Parameters<PayloadSourceParts['ask']>[0], name: string): Promise<SealedPayload> {
    const what = `the ${request.kind} ${name}`;
    try {
      return await this.parts.ask(request);
    } catch (error) {
      if (!(error instanceof PlimsollError)) throw error;
      const isAway = error.code === 'unavailable' || error.code === 'timeout';
      const words = `Cannot get ${what}: ${error.message}`;
      throw isAway ? new PayloadAwayError(error.code, words, { cause: error }) : new PlimsollError(error.code, words);
    }
  }

  private load(): Promise<Held> {
    this.held ??= this.read();
    return this.held;
  }

  /** A damaged file is reported and begun anew: the cluster has the contents. */
  private async read(): Promise<Held> {
    try {
      const json = await this.parts.files.read(this.path);
      if (json !== undefined) {
        const { keys, payloads } = StoredPayloads.parse(json);
        return { keys, payloads: new Map(Object.entries(payloads)) };
      }
    } catch (error) {
      const fields = { path: this.path, error: messageOf(error) };
      this.parts.log.error(fields, 'cannot read the sealed secrets and configs: asking the cluster for them again');
    }
    return { keys: undefined, payloads: new Map() };
  }

  /** A content that cannot be kept is still good for this start; the next one asks again. */
  private store({ keys, payloads }: Held): Promise<void> {
    const write = async () => {
      try {
        await this.parts.files.write(this.path, { v: 1, keys, payloads: Object.fromEntries(payloads) });
      } catch (error) {
        this.parts.log.error(
          { path: this.path, error: messageOf(error) },
          'cannot keep the sealed secrets and configs',
        );
      }
    };
    this.lastWrite = this.lastWrite.then(write);
    return this.lastWrite;
  }

  private get path(): string {
    return join(this.parts.stateDir, 'node', 'payloads.json');
  }
}

function keyOf({ kind, id }: { readonly kind: PayloadKind; readonly id: string }): string {
  return `${kind}.${id}`;
}
