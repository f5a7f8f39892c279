/** What a fault explains. Everything else that happens to a container while it lasts is a bug. */
import { type Cell, hostOf, isCut } from './cell.ts';

export interface Allowance {
  /** Hosts whose containers the fault itself ends: each may be started anew there. */
  readonly endedOn: readonly string[];
  /** Hosts whose tasks may get stand-ins elsewhere meanwhile. At the end the originals have won, where they still run. */
  readonly standInsFor: readonly string[];
  /** Hosts whose containers nobody can reach or that do not compute while the fault lasts. */
  readonly awayHosts: readonly string[];
  readonly why: string;
}

const nothing = { endedOn: [], standInsFor: [], awayHosts: [] } as const;

/** A host that refuses connections to its agent for this long counts as lost. */
const AGENT_AWAY_MS = 10_000;

/** The table of what may happen, by physical act. `agentAwayMs`: how long nobody listened on the agent's port. */
export function allowanceOf(cell: Cell, agentAwayMs = 0): Allowance {
  const host = hostOf(cell);
  if (cell.target === 'agent' && agentAwayMs > AGENT_AWAY_MS) {
    return { ...nothing, standInsFor: [host], why: `the agent's start took ${agentAwayMs} ms: it counts as lost` };
  }
  if (isCut(cell.fault)) return cutAllowance(cell, host);
  if (cell.target === 'host') return hostAllowance(cell, host);
  if (cell.target === 'dockerd' && cell.fault === 'freeze 30 s') {
    const why = 'an engine silent for 30 s may be dead for good: tasks not seen running get stand-ins';
    return { ...nothing, standInsFor: [host], why };
  }
  return { ...nothing, why: 'containers do not depend on this process: engines keep them (live-restore), others plan' };
}

function cutAllowance({ fault, target }: Cell, host: string): Allowance {
  if (fault === 'cut 1 s') {
    return { ...nothing, awayHosts: [host], why: 'a second of silence is no loss: probes get through again in time' };
  }
  if (target === 'nats') {
    const others = ['h2', 'h3'];
    const why = 'the leader sits with NATS: from there the other two hosts are lost, and their tasks get stand-ins';
    return { ...nothing, standInsFor: others, awayHosts: [host], why };
  }
  return {
    ...nothing,
    standInsFor: [host],
    awayHosts: [host],
    why: 'the host is lost: its tasks get stand-ins, which go when it is back within a minute',
  };
}

function hostAllowance({ fault }: Cell, host: string): Allowance {
  if (fault === 'kill' || fault === 'restart') {
    const why = 'a host without power loses its containers: stand-ins elsewhere, and what it still owes at its boot';
    return { endedOn: [host], standInsFor: [host], awayHosts: [host], why };
  }
  const why = "a frozen host's kernel still accepts connections: it is suspect, gets nothing new, and is not lost";
  return { ...nothing, awayHosts: [host], why };
}
