/** The small troubles of ordinary days, none of which may cost a container its life. */
import type { Lab } from '../support/lab.ts';

const disturbanceKinds = ['freeze', 'kill NATS', 'change the leader', 'cut'] as const;

export interface Disturbance {
  readonly name: string;
  readonly act: (lab: Lab) => Promise<void>;
}

/** What draws the lots: test/simulation's generator, or one like it. */
export interface Lots {
  pick<T>(choices: readonly [T, ...T[]]): T;
  pick<T>(choices: readonly T[]): T | undefined;
}

/** One disturbance; `leaderHost` is the host of the coordinator that leads now. */
export function drawDisturbance(lots: Lots, lab: Lab, leaderHost: string): Disturbance {
  const host = lots.pick(lab.hosts)?.name ?? 'h1';
  switch (lots.pick(disturbanceKinds)) {
    case 'freeze':
      return frozen(lots.pick([`agent:${host}`, 'coordinator:h1', 'coordinator:h2', 'nats:h1', `engine:${host}`]));
    case 'kill NATS':
      return told('kill -9 of NATS', ['kill', 'nats:h1'], ['start', 'nats:h1']);
    case 'change the leader': {
      const leader = `coordinator:${leaderHost}`;
      return told(`kill -9 of the leader on ${leaderHost}`, ['kill', leader], ['start', leader]);
    }
    case 'cut':
      return told(`cable of ${host} cut for 1 s`, ['cut', host, '--for', '1']);
  }
}

function frozen(subject: string): Disturbance {
  return told(`SIGSTOP of ${subject} for 1.5 s`, ['freeze', subject, '--for', '1.5']);
}

function told(name: string, ...commands: readonly (readonly string[])[]): Disturbance {
  const act = async (lab: Lab) => {
    for (const words of commands) await lab.command(...words);
  };
  return { name, act };
}
