/**
 * An archive as `docker save ID` writes it, looked at while it passes: it may bring the one image that was announced and no
 * name. A node that is not what it says could otherwise give another node's names to images of its own.
 */
import { posix } from 'node:path';
import { z } from 'zod';
import { PlimsollError } from './errors.ts';
import { plainJson } from './plain-json.ts';
import { TarScanner } from './tar-scanner.ts';

const DockerManifest = z.array(z.looseObject({ Config: z.string(), RepoTags: z.array(z.string()).nullish() }));
const OciIndex = z.looseObject({
  manifests: z.array(z.looseObject({ annotations: z.record(z.string(), z.string()).nullish() })),
});

/** Annotations an engine takes names of images from. */
const NAMING = ['io.containerd.image.name', 'org.opencontainers.image.ref.name'];

/** The archive's own bytes. Throws `invalid` before the part that is not as it must be has passed. */
export async function* onlyImage(archive: AsyncIterable<Uint8Array>, imageId: string): AsyncGenerator<Uint8Array> {
  const check = new ImageCheck(imageId);
  const scanner = new TarScanner({
    keeps: (name) => TELLS_OF_IMAGES.has(posix.basename(pathOf(name))),
    onKept: (name, content) => check.look(pathOf(name), content),
  });
  for await (const chunk of archive) {
    scanner.read(chunk);
    yield chunk;
  }
  check.end();
}

/**
 * The files that say which images are in the archive, with the fields looked at. They lie at its top: elsewhere a link could
 * lead there.
 */
const TELLS_OF_IMAGES: ReadonlyMap<string, readonly string[]> = new Map([
  ['manifest.json', ['Config', 'RepoTags']],
  ['index.json', ['manifests', 'annotations']],
  ['repositories', []],
]);

/** Without what means nothing in a path. */
function pathOf(name: string): string {
  return posix.normalize(`${name}/`).replace(/^\/+|\/+$/g, '');
}

class ImageCheck {
  private readonly imageId: string;
  private isListed = false;

  constructor(imageId: string) {
    this.imageId = imageId;
  }

  look(name: string, content: Uint8Array): void {
    const fields = TELLS_OF_IMAGES.get(name);
    if (fields === undefined) throw this.refusal(`has a list of images at ${name}`);
    const json = plainJson(Buffer.from(content).toString(), fields);
    if (name === 'manifest.json') this.lookAtManifest(json);
    else if (name === 'index.json') this.lookAtIndex(json);
    else if (!isEmpty(json)) throw this.refusal('gives names to images');
  }

  end(): void {
    if (!this.isListed) throw this.refusal('does not say what is in it');
  }

  private lookAtManifest(json: unknown): void {
    const manifest = DockerManifest.safeParse(json);
    if (!manifest.success) throw this.refusal('says what is in it in words nobody understands');
    const [image, ...others] = manifest.data;
    if (image === undefined || others.length > 0) throw this.refusal(`holds ${manifest.data.length} images`);
    if ((image.RepoTags ?? []).length > 0) throw this.refusal(`gives it the name ${image.RepoTags?.join(', ')}`);
    const digest = /([0-9a-f]{64})(?:\.json)?$/.exec(image.Config)?.[1];
    if (`sha256:${digest}` !== this.imageId) throw this.refusal(`holds ${image.Config}`);
    this.isListed = true;
  }

  private lookAtIndex(json: unknown): void {
    const index = OciIndex.safeParse(json);
    if (!index.success) throw this.refusal('has an index nobody understands');
    const named = index.data.manifests.some(({ annotations }) =>
      NAMING.some((name) => annotations?.[name] !== undefined),
    );
    if (named) throw this.refusal('gives names to images');
  }

  private refusal(what: string): PlimsollError {
    return new PlimsollError('invalid', `What a node sent as image ${this.imageId} ${what}: it is refused`);
  }
}

/** `{}`: no name at all. */
function isEmpty(json: unknown): boolean {
  return typeof json === 'object' && json !== null && Object.keys(json).length === 0;
}
