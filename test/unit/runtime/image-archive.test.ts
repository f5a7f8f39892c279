import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { onlyImage } from '../../../runtime/image-archive.ts';

const digest = 'a1'.repeat(32);
const other = 'b2'.repeat(32);

function entry(name: string, content: string | Buffer, type = '0'): Buffer {
  const body = Buffer.from(content);
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write(`${body.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write(type, 156);
  header.write('ustar\x0000', 257, 'latin1');
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([header, body, Buffer.alloc((512 - (body.length % 512)) % 512)]);
}

const end = Buffer.alloc(1024);
const layer = entry(`${digest}/layer.tar`, Buffer.alloc(1500, 'x'));
const manifest = (Config = `${digest}.json`, RepoTags: string[] | null = null, more: object[] = []) =>
  entry('manifest.json', JSON.stringify([{ Config, RepoTags, Layers: [] }, ...more]));
const index = (annotations?: Record<string, string>) =>
  entry('index.json', JSON.stringify({ manifests: [{ digest: `sha256:${other}`, annotations }] }));
const attribute = (text: string) => entry('pax', `${text.length + 4} ${text}\n`, 'x');

/** What came through, in pieces of so many bytes. */
async function passed(archive: Buffer, pieceBytes: number): Promise<Buffer> {
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < archive.length; at += pieceBytes) yield archive.subarray(at, at + pieceBytes);
  }
  const through: Uint8Array[] = [];
  for await (const piece of onlyImage(pieces(), `sha256:${digest}`)) through.push(piece);
  return Buffer.concat(through);
}

describe('an archive of one image', () => {
  test.each([
    ['as older engines write it', [layer, manifest()]],
    ['as newer engines write it', [layer, index(), entry('repositories', '{}'), manifest(`blobs/sha256/${digest}`)]],
    [
      'with long names',
      [entry('x', `${'blobs/'.repeat(30)}layer\0`, 'L'), layer, attribute('path=layer'), layer, manifest()],
    ],
  ])('passes as it is: %s', async (_what, parts) => {
    const archive = Buffer.concat([...parts, end]);

    for (const pieceBytes of [1, 511, 65_536]) expect((await passed(archive, pieceBytes)).equals(archive)).toBe(true);
  });

  test.each([
    ['another image', [manifest(`${other}.json`)], 'holds b2'],
    ['a second image', [manifest(undefined, null, [{ Config: `${other}.json` }])], 'holds 2 images'],
    ['a name', [manifest(undefined, ['nginx:latest'])], 'gives it the name nginx:latest'],
    ['a second list', [manifest(), manifest(undefined, ['nginx:latest'])], 'gives it the name'],
    ['a list by a roundabout path', [entry('./blobs/../manifest.json', '[]')], 'holds 0 images'],
    ['a list with a long name', [attribute('path=manifest.json'), entry('layer', '[]')], 'holds 0 images'],
    ['a name in the older way', [manifest(), entry('repositories', '{"nginx":{}}')], 'gives names to images'],
    ['a name in the newer way', [index({ 'io.containerd.image.name': 'nginx' }), manifest()], 'gives names'],
    ['a list that is a link', [entry('manifest.json', '', '2')], 'no file that can be looked at'],
    ['no list', [layer], 'does not say what is in it'],
    ['a list nobody can read', [entry('manifest.json', '{')], 'nobody understands'],
    ['a list inside a file of no size', [attribute('size=0'), entry('layer', manifest(`${other}.json`))], 'holds b2'],
  ])('does not pass with %s', async (_what, parts, sentence) => {
    const archive = Buffer.concat([...parts, end]);

    await expect(passed(archive, 512)).rejects.toThrow(sentence);
  });

  test('does not pass packed: nobody could look into it', async () => {
    const large = gzipSync(Buffer.concat([manifest(), randomBytes(4096), end]));

    await expect(passed(large, 65_536)).rejects.toThrow('no tar archive');
  });
});
