/** Looks through a tar archive that comes in pieces, and keeps the contents of some small files of it. */
import { PlimsollError } from './errors.ts';

const BLOCK_BYTES = 512;
/** What is kept is small; more is an attempt on our memory. */
const MAX_KEPT_BYTES = 4 * 1024 * 1024;

interface TarReader {
  readonly keeps: (name: string) => boolean;
  readonly onKept: (name: string, content: Uint8Array) => void;
}

interface Header {
  readonly name: string;
  readonly sizeBytes: number;
  /** The character POSIX has for it: `0` a file, `5` a directory, `x` what follows has attributes, `L` a long name. */
  readonly type: string;
}

export class TarScanner {
  private readonly reader: TarReader;
  private pieces: Uint8Array[] = [];
  private missing = BLOCK_BYTES;
  private toSkip = 0;
  /** The file whose content is being collected; undefined while it is a header. */
  private kept: Header | undefined;
  /** What was said ahead of the next file's header, which has no room for it. */
  private ahead: { name?: string; sizeBytes?: number } = {};

  constructor(reader: TarReader) {
    this.reader = reader;
  }

  /** Throws `invalid` for what is no plain tar archive, and whatever `onKept` throws. */
  read(chunk: Uint8Array): void {
    for (let rest = chunk; rest.length > 0; ) {
      const taken = Math.min(rest.length, this.toSkip || this.missing);
      if (this.toSkip > 0) this.toSkip -= taken;
      else this.collect(rest.subarray(0, taken));
      rest = rest.subarray(taken);
    }
  }

  private collect(piece: Uint8Array): void {
    this.pieces.push(piece);
    this.missing -= piece.length;
    if (this.missing > 0) return;
    const block = Buffer.concat(this.pieces);
    this.pieces = [];
    this.missing = BLOCK_BYTES;
    const { kept } = this;
    this.kept = undefined;
    if (kept) this.take(kept, block.subarray(0, kept.sizeBytes));
    else this.begin(block);
  }

  private begin(block: Buffer): void {
    if (block.every((byte) => byte === 0)) return;
    const own = headerOf(block);
    const isAhead = 'LxK'.includes(own.type);
    const header = isAhead ? own : { ...own, ...this.ahead };
    if (!isAhead) this.ahead = {};
    const { name } = header;
    const paddedBytes = Math.ceil(header.sizeBytes / BLOCK_BYTES) * BLOCK_BYTES;
    const isKept = isAhead || header.type === 'g' || this.reader.keeps(name);
    if (!isKept) {
      this.toSkip = paddedBytes;
      return;
    }
    if (!'0\0LxK'.includes(header.type) || paddedBytes === 0 || paddedBytes > MAX_KEPT_BYTES) {
      throw invalid(`${name} in it is no file that can be looked at`);
    }
    this.kept = header;
    this.missing = paddedBytes;
  }

  private take({ name, type }: Header, content: Buffer): void {
    if (type === 'L') this.ahead.name = textOf(content);
    else if (type === 'x') Object.assign(this.ahead, attributesIn(content));
    else if (type !== 'K') this.reader.onKept(name, content);
  }
}

function headerOf(block: Buffer): Header {
  if (block.toString('latin1', 257, 262) !== 'ustar') throw invalid('it is no tar archive');
  const sum = block.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0);
  if (Number.parseInt(textOf(block.subarray(148, 156)), 8) !== sum) throw invalid('a header in it is damaged');
  // GNU's format has other things where POSIX has the beginning of the path.
  const prefix = block[262] === 0 ? textOf(block.subarray(345, 500)) : '';
  const name = textOf(block.subarray(0, 100));
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    sizeBytes: sizeOf(block.subarray(124, 136)),
    type: String.fromCharCode(block[156] ?? 0),
  };
}

/** Octal digits; of files above 8 GiB a binary number behind a mark. */
function sizeOf(field: Buffer): number {
  const isBinary = ((field[0] ?? 0) & 0x80) !== 0;
  const size = isBinary ? field.readUIntBE(6, 6) : Number.parseInt(textOf(field).trim() || '0', 8);
  if (!Number.isSafeInteger(size) || size < 0) throw invalid('a size in it cannot be read');
  return size;
}

/** Name and size out of a list of attributes: `<length> <name>=<value>\n` each, of which the last one counts. */
function attributesIn(content: Buffer): Partial<Pick<Header, 'name' | 'sizeBytes'>> {
  const valueOf = (name: string) =>
    [...content.toString().matchAll(new RegExp(`^\\d+ ${name}=(.*)$`, 'gm'))].at(-1)?.[1];
  const [name, size] = [valueOf('path'), valueOf('size')];
  if (size !== undefined && !/^\d{1,15}$/.test(size)) throw invalid('a size in it cannot be read');
  return { ...(name === undefined ? {} : { name }), ...(size === undefined ? {} : { sizeBytes: Number(size) }) };
}

function textOf(field: Buffer): string {
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? field.length : end);
}

function invalid(what: string): PlimsollError {
  return new PlimsollError('invalid', `The archive of an image cannot be taken: ${what}`);
}
