/** The size of the kernel's memory pages, which Node does not tell: from the auxiliary vector, see getauxval(3). */
import { readFileSync } from 'node:fs';
import { endianness } from 'node:os';

const AT_PAGESZ = 6n;
const WORD_BYTES = 8;
const USUAL_PAGE_BYTES = 4096;

export function pageSizeBytes(): number {
  try {
    return pageSizeIn(readFileSync('/proc/self/auxv'), endianness());
  } catch {
    return USUAL_PAGE_BYTES;
  }
}

/** Pairs of words, key and value. Node runs on 64-bit Linux only. */
export function pageSizeIn(auxv: Buffer, order: 'BE' | 'LE'): number {
  const word = (offset: number) => (order === 'LE' ? auxv.readBigUInt64LE(offset) : auxv.readBigUInt64BE(offset));
  for (let offset = 0; offset + 2 * WORD_BYTES <= auxv.length; offset += 2 * WORD_BYTES) {
    if (word(offset) === AT_PAGESZ) return Number(word(offset + WORD_BYTES));
  }
  return USUAL_PAGE_BYTES;
}
