/** What other tests rely on: an engine of a test's own leaves nothing behind, however it was left. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { startPrivateEngine, testImage } from '../../support/private-engine.ts';

const CGROUPS = '/sys/fs/cgroup';

/** Processes that are no zombies. */
function processesNaming(words: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(words);
    } catch {
      return false;
    }
  });
}

it('a frozen engine with a container is taken down whole', async () => {
  const engine = await startPrivateEngine();
  onTestFinished(() => engine.stop());
  const directory = dirname(engine.address.replace('unix://', ''));
  await engine.docker('run', '-d', testImage, 'sleep', '1000');
  await engine.freezeDockerd();

  await engine.stop();

  const name = basename(directory);
  const cgroups = readdirSync(CGROUPS).map((hierarchy) => `${CGROUPS}/${hierarchy}/${name}`);
  expect([directory, `/run/netns/${name}`, `${CGROUPS}/${name}`, ...cgroups].filter(existsSync)).toEqual([]);
  expect(processesNaming(directory)).toEqual([]);
});
