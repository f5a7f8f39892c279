import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { onlyImage } from '../../../runtime/image-archive.ts';

const digest = 'a1'.repeat(32);
const other = 'b2'.repeat(32);

function entry(name: string, content: string | Buffer, type = '0', size?: string): Buffer {
  const body = Buffer.from(content);
  const header = Buffer.alloc(512);
  header.write(name, 0, 'latin1');
  header.write(size ?? `${body.length.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
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
const attributeText = (text: string) => `${text.length + 4} ${text}\n`;
const attribute = (text: string) => entry('pax', attributeText(text), 'x');
const named = manifest(undefined, ['nginx:latest']);
const namedJson = JSON.stringify([{ Config: `${digest}.json`, RepoTags: ['nginx:latest'], Layers: [] }]);

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
    [
      'a list in a directory, which links may lead to',
      [entry('up', '', '2'), entry('up/manifest.json', '[]')],
      'at up/',
    ],
    ['a list behind a slash', [entry('manifest.json/', '[]')], 'holds 0 images'],
    ['a list inside a directory', [entry('blobs/', named, '5'), manifest()], 'has content, and is no file'],
    ['a list inside a directory of old', [entry('blobs/', named, '\0'), manifest()], 'has content, and is no file'],
    ['a list inside a link', [entry('layer', named, '2'), manifest()], 'has content, and is no file'],
    ['a file with holes', [entry('layer', named, 'S'), manifest()], 'written with holes'],
    ['a file with holes, by attributes', [attribute('GNU.sparse.name=manifest.json'), layer, manifest()], 'holes'],
    [
      'a name inside another attribute',
      [
        entry('pax', attributeText('path=manifest.json') + attributeText('comment=x\n14 path=layer'), 'x'),
        entry('layer', '[]'),
        manifest(),
      ],
      'holds 0 images',
    ],
    ['attributes nobody can read', [entry('pax', '99 path=layer\n', 'x'), layer, manifest()], 'cannot be read'],
    [
      'an empty name ahead',
      [entry('pax', '8 path=\n', 'x'), entry('manifest.json', namedJson)],
      'a name in it cannot be read',
    ],
    ['an empty long name', [entry('x', '\0', 'L'), entry('manifest.json', namedJson)], 'a name in it is empty'],
    [
      'attributes twice',
      [attribute('path=layer'), attribute('uname=none'), entry('manifest.json', namedJson)],
      'says twice',
    ],
    [
      'a name in both ways',
      [entry('x', 'manifest.json\0', 'L'), attribute('path=layer'), entry('layer', namedJson), manifest()],
      'says twice',
    ],
    ['a size behind a zero byte', [entry('layer', named, '0', '\x0000000001000')], 'no tar archive'],
    ['a size that is half a number', [entry('layer', named, '0', '00000001x00\0')], 'a size in it cannot be read'],
    ['a size below nothing', [entry('layer', named, '0', '\xff'.repeat(12))], 'a size in it cannot be read'],
    [
      'a name in another case',
      [entry('manifest.json', namedJson.replace('RepoTags', 'repotags'))],
      'nobody understands',
    ],
    ['a name with a long s', [entry('manifest.json', namedJson.replace('RepoTags', 'RepoTagſ'))], 'nobody understands'],
    [
      'a name in annotations that are there twice',
      [entry('index.json', '{"manifests":[{"annotations":{"io.containerd.image.name":"nginx"},"annotations":{}}]}')],
      'has an index nobody understands',
    ],
    ['a list inside a file of no size', [attribute('size=0'), entry('layer', manifest(`${other}.json`))], 'holds b2'],
  ])('does not pass with %s', async (_what, parts, sentence) => {
    const archive = Buffer.concat([...parts, end]);

    await expect(passed(archive, 512)).rejects.toThrow(sentence);
  });

  test.each(['\x1f\x8b\x08', 'BZh91AY&SY', '\xfd7zXZ', '\x28\xb5\x2f\xfd', 'P*M\x18'])(
    'does not pass with a first header that looks packed (%j)',
    async (name) => {
      await expect(passed(Buffer.concat([entry(name, 'x'), manifest(), end]), 512)).rejects.toThrow('no tar archive');
    },
  );

  test('does not pass packed: nobody could look into it', async () => {
    const large = gzipSync(Buffer.concat([manifest(), randomBytes(4096), end]));

    await expect(passed(large, 65_536)).rejects.toThrow('no tar archive');
  });
});
