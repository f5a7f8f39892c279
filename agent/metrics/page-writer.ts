/**
 * Writes Prometheus text as bytes into memory that serves page after page. Strings of a page's size would stay until V8
 * collects its whole heap, which in a process that does little else is seldom.
 */

const CHUNK_BYTES = 64 << 10;
/** The longest way to write a number: `-1.2345678901234567e-300`. */
const NUMBER_BYTES = 25;
const UTF8_BYTES_PER_UNIT = 3;
const NEWLINE = 10;

/** A page lent to a reader. */
export interface MetricsPage {
  /** Prometheus text. What it says changes once the page is released. */
  readonly pieces: readonly Uint8Array[];
  /** To be called when the pieces have been sent or copied. */
  readonly release: () => void;
}

/** The memory of pages that are not being sent: that of the last one. */
export class PageMemory {
  private free: Buffer[] = [];

  take(atLeastBytes: number): Buffer {
    if (atLeastBytes > CHUNK_BYTES) return Buffer.allocUnsafeSlow(atLeastBytes);
    return this.free.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES);
  }

  giveBack(chunks: readonly Buffer[]): void {
    this.free = chunks.filter(({ length }) => length === CHUNK_BYTES);
  }
}

/** A page that is finished; its memory is given back when the last of its readers has released it. */
export class WrittenPage {
  private readonly memory: PageMemory;
  private readonly chunks: readonly Buffer[];
  private readonly pieces: readonly Uint8Array[];
  private readers = 0;

  constructor(memory: PageMemory, chunks: readonly Buffer[], pieces: readonly Uint8Array[]) {
    this.memory = memory;
    this.chunks = chunks;
    this.pieces = pieces;
  }

  lend(): MetricsPage {
    this.readers += 1;
    let isHeld = true;
    const release = () => {
      if (!isHeld) return;
      isHeld = false;
      this.readers -= 1;
      if (this.readers === 0) this.memory.giveBack(this.chunks);
    };
    return { pieces: this.pieces, release };
  }
}

export class PageWriter {
  private readonly memory: PageMemory;
  private readonly chunks: Buffer[] = [];
  private readonly pieces: Uint8Array[] = [];
  private chunk: Buffer;
  private length = 0;

  constructor(memory: PageMemory) {
    this.memory = memory;
    this.chunk = this.nextChunk(0);
  }

  bytes(bytes: Uint8Array): void {
    this.makeRoom(bytes.length);
    this.chunk.set(bytes, this.length);
    this.length += bytes.length;
  }

  text(text: string): void {
    this.makeRoom(text.length * UTF8_BYTES_PER_UNIT);
    this.length += this.chunk.write(text, this.length);
  }

  /** The value of a series, which ends its line. */
  value(value: number): void {
    this.makeRoom(NUMBER_BYTES + 1);
    const { chunk } = this;
    const digits = String(value);
    for (let index = 0; index < digits.length; index += 1) chunk[this.length + index] = digits.charCodeAt(index);
    this.length += digits.length;
    chunk[this.length] = NEWLINE;
    this.length += 1;
  }

  finish(): WrittenPage {
    this.endPiece();
    return new WrittenPage(this.memory, this.chunks, this.pieces);
  }

  private makeRoom(bytes: number): void {
    if (this.length + bytes <= this.chunk.length) return;
    this.endPiece();
    this.chunk = this.nextChunk(bytes);
    this.length = 0;
  }

  private endPiece(): void {
    if (this.length > 0) this.pieces.push(this.chunk.subarray(0, this.length));
  }

  private nextChunk(atLeastBytes: number): Buffer {
    const chunk = this.memory.take(atLeastBytes);
    this.chunks.push(chunk);
    return chunk;
  }
}
