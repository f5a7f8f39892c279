import { beforeEach, describe, expect, test } from 'vitest';
import { FETCH_BACKOFF, FETCHES_AT_ONCE, ImageStore, type ImagesOfCluster } from '../../../agent/image-store.ts';
import { sealFor } from '../../../bus/identity/sealing.ts';
import { PlimsollError } from '../../../runtime/errors.ts';
import { derivedId } from '../../../runtime/identifiers.ts';
import { FakeClock, settleMicrotasks } from '../../support/fake-clock.ts';
import { FakeEngine } from '../../support/fake-engine.ts';

const { signal } = new AbortController();
const taskId = derivedId('task');
const imageId = `sha256:${'a1'.repeat(32)}`;

let engine: FakeEngine;
let clock: FakeClock;
beforeEach(() => {
  engine = new FakeEngine();
  clock = new FakeClock();
});

/** Another node has these images; the archive of each is as many bytes as its name has letters. */
function clusterWith(...images: string[]): ImagesOfCluster {
  return {
    image: async function* ({ reference }) {
      if (!images.includes(reference)) throw new PlimsollError('not-found', `No other node has image ${reference}`);
      yield Buffer.from(JSON.stringify({ imageId, from: 'h2' }));
      yield Buffer.alloc(reference.length);
    },
    registryAuth: async function* () {},
  };
}

const nobodyHas = (...images: string[]) => {
  for (const image of images) engine.missingImages.set(image, { refusal: 'manifest unknown' });
};
/** The engine takes what is loaded for the image announced. */
const announcedIsLoaded = () => {
  engine.missingImages.set(imageId, { refusal: 'never' });
  const load = engine.loadImage.bind(engine);
  engine.loadImage = async (archive) => {
    await load(archive);
    engine.missingImages.delete(imageId);
  };
};

test('an image counts as pulled only if it was not on the node before', async () => {
  const images = new ImageStore(engine, clock);

  await images.ensure({ image: 'built-here:1', refresh: true, taskId }, signal);
  engine.missingImages.set('fetched:1', { pullMs: 0 });
  await images.ensure({ image: 'fetched:1', refresh: false, taskId }, signal);

  expect(['built-here:1', 'fetched:1'].map((image) => images.hasPulled(image))).toEqual([false, true]);
});

describe('an image another node has', () => {
  test('comes from there, and no registry is asked', async () => {
    nobodyHas('web:1');
    announcedIsLoaded();

    await new ImageStore(engine, clock, clusterWith('web:1')).ensure({ image: 'web:1', refresh: true, taskId }, signal);

    expect(engine.loadedBytes).toBe('web:1'.length);
    expect(engine.calls).toContain(`tag ${imageId} web:1`);
    expect(engine.calls).not.toContain('pull web:1');
  });

  test('is not sent when it is here under another name', async () => {
    nobodyHas('web:1');

    await new ImageStore(engine, clock, clusterWith('web:1')).ensure(
      { image: 'web:1', refresh: false, taskId },
      signal,
    );

    expect(engine.loadedBytes).toBe(0);
    expect(engine.missingImages.has('web:1')).toBe(false);
  });

  test.each([
    ['that is here under another name', () => undefined],
    [
      'the engine refuses to load',
      () => {
        engine.missingImages.set(imageId, { refusal: 'never' });
        engine.loadImage = async (archive) => {
          await archive[Symbol.asyncIterator]().next();
          throw new PlimsollError('invalid', 'no space left on device');
        };
      },
    ],
  ])('leaves no stream open for one %s', async (_what, prepare) => {
    nobodyHas('web:1');
    prepare();
    let open = 0;
    const cluster = clusterWith('web:1');
    const counting: ImagesOfCluster = {
      ...cluster,
      image: async function* (...args) {
        open += 1;
        try {
          yield* cluster.image(...args);
        } finally {
          open -= 1;
        }
      },
    };

    await new ImageStore(engine, clock, counting)
      .ensure({ image: 'web:1', refresh: false, taskId }, signal)
      .catch(() => undefined);

    expect(open).toBe(0);
  });

  test.each(['web', 'web:latest', 'registry:5000/web'])(
    'comes after the registry when the tag moves: %s',
    async (image) => {
      nobodyHas(image);
      announcedIsLoaded();

      await new ImageStore(engine, clock, clusterWith(image)).ensure({ image: image, refresh: true, taskId }, signal);

      expect(engine.calls).toContain(`pull ${image}`);
      expect(engine.loadedBytes).toBe(image.length);
    },
  );

  test('is refused when what arrives has another digest, and gets no name', async () => {
    nobodyHas('web:1', imageId);

    const ensured = new ImageStore(engine, clock, clusterWith('web:1')).ensure(
      { image: 'web:1', refresh: false, taskId },
      signal,
    );

    await expect(ensured).rejects.toThrow(
      /^No such image: web:1: manifest unknown; from another node: .* another digest$/,
    );
    expect(engine.missingImages.has('web:1')).toBe(true);
  });

  test('is asked of a registry when no coordinator answers', async () => {
    engine.missingImages.set('web:1', { pullMs: 0 });
    const isAway = () => {
      throw new PlimsollError('unavailable', 'the bus has not been reached yet');
    };
    const away: ImagesOfCluster = { image: isAway, registryAuth: isAway };

    await new ImageStore(engine, clock, away).ensure({ image: 'web:1', refresh: false, taskId }, signal);

    expect(engine.missingImages.has('web:1')).toBe(false);
  });
});

describe('an image nobody has', () => {
  test('fails with the registry’s words, and is not asked for again before its back-off is over', async () => {
    nobodyHas('web:1');
    const images = new ImageStore(engine, clock);
    const pulls = () => engine.calls.filter((call) => call === 'pull web:1').length;
    const ensured = () =>
      images.ensure({ image: 'web:1', refresh: false, taskId }, signal).catch((error: Error) => error.message);

    expect([await ensured(), await ensured()]).toEqual(Array(2).fill('No such image: web:1: manifest unknown'));
    expect(pulls()).toBe(1);

    await clock.advance(FETCH_BACKOFF.firstMs);
    await ensured();
    expect(pulls()).toBe(2);

    await clock.advance(FETCH_BACKOFF.firstMs);
    await ensured();
    expect(pulls()).toBe(2);
  });

  test('is there at once when somebody loads it meanwhile', async () => {
    nobodyHas('web:1');
    const images = new ImageStore(engine, clock);
    await images.ensure({ image: 'web:1', refresh: false, taskId }, signal).catch(() => undefined);
    engine.missingImages.delete('web:1');

    await expect(images.ensure({ image: 'web:1', refresh: false, taskId }, signal)).resolves.toBeUndefined();
  });
});

test('at most two images are fetched at a time', async () => {
  let [running, most] = [0, 0];
  const ends: (() => void)[] = [];
  engine.hasImage = async () => false;
  engine.pull = async () => {
    running += 1;
    most = Math.max(most, running);
    await new Promise<void>((resolve) => ends.push(resolve));
    running -= 1;
  };
  const images = new ImageStore(engine, clock);

  const all = ['a:1', 'b:1', 'c:1', 'd:1', 'a:1'].map((image) =>
    images.ensure({ image: image, refresh: false, taskId }, signal),
  );
  for (let turn = 0; turn < 10; turn += 1) {
    await settleMicrotasks();
    ends.shift()?.();
  }
  await Promise.all(all);

  expect({ most, allowed: FETCHES_AT_ONCE }).toEqual({ most: 2, allowed: 2 });
});

test('a registry is shown the credentials of the task’s service', async () => {
  const shown: (string | undefined)[] = [];
  engine.missingImages.set('web:1', { pullMs: 0 });
  const pull = engine.pull.bind(engine);
  engine.pull = (reference: string, until: AbortSignal, registryAuth?: string) => {
    shown.push(registryAuth);
    return pull(reference, until);
  };
  const cluster: ImagesOfCluster = {
    ...clusterWith(),
    registryAuth: async function* (request) {
      expect(request.taskId).toBe(taskId);
      yield Buffer.from(JSON.stringify(sealFor(request.publicKey, Buffer.from('credentials'))));
    },
  };

  await new ImageStore(engine, clock, cluster).ensure({ image: 'web:1', refresh: false, taskId }, signal);

  expect(shown).toEqual(['credentials']);
});
