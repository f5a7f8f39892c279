/** Keeps this machine busy: processes that only burn time, as many as make the load average what it should be. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** The one-minute average follows slowly: a change shows after about this long. */
const ADJUST_MS = 10_000;
const TOLERANCE = 0.5;

/** The one-minute average. */
export function loadAverage(): number {
  return Number(readFileSync('/proc/loadavg', 'utf8').split(' ', 1)[0]);
}

export class MachineLoad {
  private readonly wanted: number;
  private readonly burners: ChildProcess[] = [];
  private readonly timer: NodeJS.Timeout;

  /** Burns until `stop`; what else this machine does counts too. */
  constructor(wanted: number) {
    this.wanted = wanted;
    for (let missing = wanted - loadAverage(); missing >= 1; missing -= 1) this.add();
    this.timer = setInterval(() => this.adjust(), ADJUST_MS);
    process.once('exit', this.killAll);
  }

  stop(): void {
    clearInterval(this.timer);
    process.off('exit', this.killAll);
    this.killAll();
  }

  private adjust(): void {
    const load = loadAverage();
    if (load < this.wanted - TOLERANCE && this.burners.length < this.wanted * 2) this.add();
    if (load > this.wanted + TOLERANCE) this.burners.pop()?.kill('SIGKILL');
  }

  private add(): void {
    this.burners.push(spawn('sh', ['-c', 'while :; do :; done'], { stdio: 'ignore' }));
  }

  private readonly killAll = () => {
    for (const burner of this.burners.splice(0)) burner.kill('SIGKILL');
  };
}
