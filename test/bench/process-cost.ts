/** What processes have cost so far, as the kernel counts it: no help of theirs needed. */
import { readdirSync, readFileSync } from 'node:fs';

const NS_PER_MS = 1e6;

/** CPU time of all threads that live, to the nanosecond (schedstat); a thread that ended meanwhile is missing. */
export function cpuMsOf(pids: readonly number[]): number {
  const perThread = pids.flatMap((pid) =>
    readdirSync(`/proc/${pid}/task`).map((thread) => threadCpuNs(`/proc/${pid}/task/${thread}/schedstat`)),
  );
  return perThread.reduce((sum, ns) => sum + ns, 0) / NS_PER_MS;
}

function threadCpuNs(path: string): number {
  try {
    return Number(readFileSync(path, 'utf8').split(' ')[0]);
  } catch {
    return 0;
  }
}

/** Resident memory, with what is shared with other processes. */
export function rssBytesOf(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  if (!match) throw new Error(`Process ${pid} has no memory: it has ended`);
  return Number(match[1]) * 1024;
}
