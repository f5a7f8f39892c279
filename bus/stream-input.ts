/**
 * The bytes an asker sends into a stream it reads, as a terminal does: granted by the one who answers, as many chunks at a
 * time as the other direction has. Nothing is granted before the answering side listens.
 */
import { PlimsollError } from '../runtime/errors.ts';
import { Poke } from '../runtime/loop.ts';

/** What is left to send, counted by whoever grants. */
export class Credits {
  private readonly poke = new Poke();
  private left: number;

  constructor(left: number) {
    this.left = left;
  }

  add(count: number): void {
    this.left += count;
    this.poke.poke();
  }

  /** Resolves to true with one credit taken; to false when the signal aborted first. */
  async take(signal: AbortSignal): Promise<boolean> {
    while (this.left === 0 && !signal.aborted) await this.poke.wait(signal);
    if (signal.aborted) return false;
    this.left -= 1;
    return true;
  }
}

/** The answering side's end: chunks as they came, each asked for before it is sent. Read by one reader, once. */
export class StreamInput implements AsyncIterable<Uint8Array> {
  private readonly waiting: Uint8Array[] = [];
  private readonly poke = new Poke();
  private readonly window: number;
  private readonly grant: (count: number) => void;
  private readonly gone: AbortSignal;
  private isEnded = false;

  /** `gone`: the asker has left, after which the input fails. */
  constructor(window: number, grant: (count: number) => void, gone: AbortSignal) {
    this.window = window;
    this.grant = grant;
    this.gone = gone;
  }

  /** Takes what came. False when more came than was granted: the asker does not keep to the window. */
  push(bytes: Uint8Array): boolean {
    if (this.waiting.length >= this.window) return false;
    this.waiting.push(bytes);
    this.poke.poke();
    return true;
  }

  end(): void {
    this.isEnded = true;
    this.poke.poke();
  }

  /** Throws `unavailable` when the asker is gone before it said that this was all. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    this.grant(this.window);
    while (!this.gone.aborted) {
      const bytes = this.waiting.shift();
      if (bytes !== undefined) {
        yield bytes;
        if (!this.gone.aborted) this.grant(1);
      } else if (this.isEnded) return;
      else await this.poke.wait(this.gone);
    }
    throw new PlimsollError('unavailable', 'the sender of the input has left');
  }
}
