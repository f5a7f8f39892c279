/** A private Docker Engine as the contract suite wants it. */
import { readFile } from 'node:fs/promises';
import { DockerEngine } from '../../agent/engine/docker-engine.ts';
import { systemClock } from '../../runtime/clock.ts';
import { createLog } from '../../runtime/log.ts';
import { eventually } from '../support/eventually.ts';
import type { PrivateEngine } from '../support/private-engine.ts';
import type { EngineSubject } from './engine-subject.ts';

export function dockerEngineSubject(docker: PrivateEngine): EngineSubject {
  return {
    engine: new DockerEngine(docker.address, systemClock, createLog('test', 'silent')),
    listens: async ({ pid = 0 }) => {
      await eventually(() => handlesSigterm(pid), { what: 'the program handles SIGTERM' });
    },
    killProcess: async ({ pid = 0 }) => void process.kill(pid, 'SIGKILL'),
    killDockerd: () => docker.killDockerd(),
    startDockerd: () => docker.startDockerd(),
    freezeDockerd: () => docker.freezeDockerd(),
    thawDockerd: async () => docker.signalDockerd('SIGCONT'),
    clean: async () => {
      const ids = (await docker.docker('ps', '-aq')).split('\n').filter(Boolean);
      if (ids.length > 0) await docker.docker('rm', '-f', ...ids);
    },
  };
}

const SIGTERM_BIT = 1n << 14n;

async function handlesSigterm(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const caught = /^SigCgt:\s*([0-9a-f]+)/m.exec(status)?.[1];
  return caught !== undefined && (BigInt(`0x${caught}`) & SIGTERM_BIT) !== 0n;
}
