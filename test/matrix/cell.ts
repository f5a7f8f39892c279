/** The cells of the fault matrix: what is done to what, while the cluster does what. */

export const faults = ['kill', 'freeze 1.5 s', 'freeze 30 s', 'restart', 'cut 1 s', 'cut 30 s'] as const;
export const targets = ['agent', 'leader', 'follower', 'nats', 'dockerd', 'host'] as const;
export const phases = ['idle', 'deploying', 'updating', 'scaling down'] as const;

export type Fault = (typeof faults)[number];
export type Target = (typeof targets)[number];
export type Phase = (typeof phases)[number];

export interface Cell {
  readonly fault: Fault;
  readonly target: Target;
  readonly phase: Phase;
}

/** Where the matrix finds its victims in a lab of three hosts with coordinators and managers on h1 and h2, NATS on h1. */
const hostOfTarget: Readonly<Record<Target, string>> = {
  agent: 'h3',
  leader: 'h2',
  follower: 'h2',
  nats: 'h1',
  dockerd: 'h3',
  host: 'h3',
};

export function hostOf(cell: Pick<Cell, 'target'>): string {
  return hostOfTarget[cell.target];
}

/** The host whose coordinator has to lead when the fault strikes. */
export function leaderHostOf(cell: Pick<Cell, 'target'>): 'h1' | 'h2' {
  return cell.target === 'leader' ? 'h2' : 'h1';
}

export function isCut(fault: Fault): boolean {
  return fault === 'cut 1 s' || fault === 'cut 30 s';
}

export function nameOf({ fault, target, phase }: Cell): string {
  return `${fault}, ${target}, ${phase}`;
}

/**
 * The cell that is run for this one: a cable is its host's, so that cutting off an agent, its dockerd or their host is one
 * and the same act.
 */
export function runAs(cell: Cell): Cell {
  const isSameCable = isCut(cell.fault) && (cell.target === 'agent' || cell.target === 'dockerd');
  return isSameCable ? { ...cell, target: 'host' } : cell;
}

export interface CellFilter {
  readonly fault?: readonly string[];
  readonly target?: readonly string[];
  readonly phase?: readonly string[];
}

/** All cells that a filter lets through, those with the same leader together: a change of leader takes time. */
export function cellsOf(filter: CellFilter = {}): Cell[] {
  const wanted = <T extends string>(all: readonly T[], chosen?: readonly string[]) =>
    all.filter((one) => chosen === undefined || chosen.length === 0 || chosen.includes(one));
  return wanted(targets, filter.target).flatMap((target) =>
    wanted(faults, filter.fault).flatMap((fault) =>
      wanted(phases, filter.phase).map((phase) => ({ fault, target, phase })),
    ),
  );
}
