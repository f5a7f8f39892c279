/** The attributes POSIX's tar writes ahead of a file ("pax"): `<length> <name>=<value>\n` each, the length that of all of it. */

interface TarAttributes {
  readonly name?: string;
  readonly sizeBytes?: number;
}

/** The last of each kind counts. Throws what `invalid` makes of a sentence. */
export function attributesIn(content: Buffer, invalid: (what: string) => Error): TarAttributes {
  let found: TarAttributes = {};
  for (let rest = content; rest.length > 0; ) {
    const [head = '', digits = ''] = /^([1-9]\d{0,8}) /.exec(rest.toString('latin1', 0, 10)) ?? [];
    const length = Number(digits);
    const record = rest.subarray(head.length, length);
    const equals = record.indexOf('=');
    if (head === '' || length > rest.length || equals < 1 || record.at(-1) !== 0x0a) {
      throw invalid('attributes in it cannot be read');
    }
    const [key, value] = [record.toString('utf8', 0, equals), record.toString('utf8', equals + 1, record.length - 1)];
    found = { ...found, ...meaningOf(key, value, invalid) };
    rest = rest.subarray(length);
  }
  return found;
}

function meaningOf(key: string, value: string, invalid: (what: string) => Error): TarAttributes {
  if (key.startsWith('GNU.sparse.')) throw invalid('a file in it is written with holes');
  if (key === 'path') {
    if (value === '' || value.includes('\0')) throw invalid('a name in it cannot be read');
    return { name: value };
  }
  if (key !== 'size') return {};
  if (!/^\d{1,15}$/.test(value)) throw invalid('a size in it cannot be read');
  return { sizeBytes: Number(value) };
}
