/** The /metrics pages of nodes, fetched over the bus: a Prometheus that reaches a coordinator reaches every node. */
import type { Bus } from '../bus/bus.ts';
import type { Clock } from '../runtime/clock.ts';
import { messageOf, PlimsollError } from '../runtime/errors.ts';

/** Prometheus gives up after 10 s unless told otherwise: our sentence must come before. */
const PAGE_MS = 8_000;
/** A page of a thousand containers has a tenth of it: more than this is no page. */
export const MAX_PAGE_BYTES = 64 * 1024 * 1024;

export interface NodePagesParts {
  readonly bus: Pick<Bus, 'askNodeStream' | 'connected'>;
  readonly clock: Clock;
}

export interface NamedNode {
  readonly id: string;
  /** For the sentence of an error. */
  readonly name: string;
}

export class NodePages {
  private readonly parts: NodePagesParts;
  private readonly underWay = new Map<string, Promise<Buffer>>();

  constructor(parts: NodePagesParts) {
    this.parts = parts;
  }

  /**
   * The page as the node's agent serves it. A node is asked once at a time: who comes meanwhile gets the same page.
   * Throws `unavailable` when its agent cannot be asked, `timeout` when the page is not there within 8 s.
   */
  page(node: NamedNode): Promise<Buffer> {
    const known = this.underWay.get(node.id);
    if (known) return known;
    const page = this.fetch(node).finally(() => this.underWay.delete(node.id));
    this.underWay.set(node.id, page);
    return page;
  }

  private async fetch({ id, name }: NamedNode): Promise<Buffer> {
    const late = new AbortController();
    const stopClock = this.parts.clock.after(PAGE_MS, () => late.abort());
    try {
      const page = await readWhole(this.parts.bus.askNodeStream(id, 'metrics', {}, late.signal));
      if (!late.signal.aborted) return page;
      throw new PlimsollError('timeout', `its agent did not send it within ${PAGE_MS / 1000} s`);
    } catch (error) {
      const code = error instanceof PlimsollError ? error.code : 'internal';
      const words = `Cannot get the metrics page of node ${name}: ${this.reasonOf(error)}`;
      throw new PlimsollError(code, words, { cause: error });
    } finally {
      stopClock();
    }
  }

  private reasonOf(error: unknown): string {
    const isAway = error instanceof PlimsollError && error.code === 'unavailable';
    return isAway && this.parts.bus.connected
      ? 'nobody answers for it on the bus. Is its agent running?'
      : messageOf(error);
  }
}

async function readWhole(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length > MAX_PAGE_BYTES) throw new PlimsollError('internal', `it has more than ${MAX_PAGE_BYTES} bytes`);
    parts.push(chunk);
  }
  return Buffer.concat(parts, length);
}
