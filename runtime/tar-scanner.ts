/**
 * Looks through a tar archive that comes in pieces, and keeps the contents of some small files of it. An engine reads it
 * with Go's archive/tar: whatever the two could understand differently is refused.
 */
import { PlimsollError } from './errors.ts';
import { attributesIn } from './tar-attributes.ts';

const BLOCK_BYTES = 512;
/** What is kept is small; more is an attempt on our memory. */
const MAX_KEPT_BYTES = 4 * 1024 * 1024;
/** Links, devices, directories and pipes: what they say of a size is not looked at by all. */
const WITHOUT_CONTENT = '123456';
/** Attributes, a long name and a long link target: of the file that follows. */
const AHEAD = 'xLK';

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
  private isFirst = true;
  /** The file whose content is being collected; undefined while it is a header. */
  private kept: Header | undefined;
  /** What was said ahead of the next file's header, which has no room for it. */
  private ahead: { name?: string; sizeBytes?: number } = {};
  /** Types of the headers that said it. */
  private aheadTypes = '';

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
    if (this.isFirst && isPacked(block)) throw invalid('it is no tar archive');
    this.isFirst = false;
    if (block.every((byte) => byte === 0)) return;
    const own = headerOf(block);
    const isAhead = AHEAD.includes(own.type);
    const header = isAhead ? own : this.completed(own);
    if (isAhead) this.expectOnce(own.type);
    const { name } = header;
    const paddedBytes = Math.ceil(header.sizeBytes / BLOCK_BYTES) * BLOCK_BYTES;
    const isKept = isAhead || header.type === 'g' || this.reader.keeps(name);
    if (!isKept) {
      this.toSkip = paddedBytes;
      return;
    }
    if (!`0\0${AHEAD}`.includes(header.type) || paddedBytes === 0 || paddedBytes > MAX_KEPT_BYTES) {
      throw invalid(`${name} in it is no file that can be looked at`);
    }
    this.kept = header;
    this.missing = paddedBytes;
  }

  /** A header with what was said ahead of it. */
  private completed(own: Header): Header {
    const header = { ...own, ...this.ahead };
    this.ahead = {};
    this.aheadTypes = '';
    const isDirectory = header.type === '\0' && header.name.endsWith('/');
    const hasContent = !isDirectory && !WITHOUT_CONTENT.includes(header.type);
    if (!hasContent && header.sizeBytes > 0) throw invalid(`${header.name} in it has content, and is no file`);
    if (header.type === 'S') throw invalid(`${header.name} in it is written with holes`);
    return header;
  }

  /** Of two names, or of attributes that are given twice, readers take different ones. */
  private expectOnce(type: string): void {
    const isTwice = this.aheadTypes.includes(type);
    const isMixed = this.aheadTypes !== '' && (type === 'x') !== this.aheadTypes.includes('x');
    if (isTwice || isMixed) throw invalid('it says twice what a file in it is called');
    this.aheadTypes += type;
  }

  private take({ name, type }: Header, content: Buffer): void {
    if (type === 'L') this.ahead.name = longName(content);
    else if (type === 'x') this.ahead = attributesIn(content, invalid);
    else if (type !== 'K') this.reader.onKept(name, content);
  }
}

/** An engine unpacks first what begins like something packed (none of those four bytes are text but bzip2's), header or not. */
function isPacked(block: Buffer): boolean {
  const isText = block.subarray(0, 4).every((byte) => byte === 0 || (byte >= 0x20 && byte < 0x7f));
  return !isText || block.toString('latin1', 0, 3) === 'BZh';
}

function headerOf(block: Buffer): Header {
  if (block.toString('latin1', 257, 262) !== 'ustar') throw invalid('it is no tar archive');
  const sum = block.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0);
  if (octalOf(block.subarray(148, 156)) !== sum) throw invalid('a header in it is damaged');
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
  if (isBinary && !field.subarray(0, 6).equals(Buffer.from([0x80, 0, 0, 0, 0, 0]))) throw invalid(UNREADABLE_SIZE);
  const size = isBinary ? field.readUIntBE(6, 6) : octalOf(field);
  if (!Number.isSafeInteger(size)) throw invalid(UNREADABLE_SIZE);
  return size;
}

const UNREADABLE_SIZE = 'a size in it cannot be read';

/** NaN for what is no number: digits between blanks and zero bytes, and nothing behind them. */
function octalOf(field: Buffer): number {
  const [, digits] = /^[ \0]*([0-7]*)[ \0]*$/.exec(field.toString('latin1')) ?? [];
  return digits === undefined ? Number.NaN : Number.parseInt(digits || '0', 8);
}

function longName(content: Buffer): string {
  const name = textOf(content);
  if (name === '') throw invalid('a name in it is empty');
  return name;
}

function textOf(field: Buffer): string {
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? field.length : end);
}

function invalid(what: string): PlimsollError {
  return new PlimsollError('invalid', `The archive of an image cannot be taken: ${what}`);
}
