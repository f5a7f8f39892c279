/** Carries out actions that do not wait for each other: what goes to one bucket is written at once. */
import type { Buckets, LeaderBuckets } from '../../bus/buckets.ts';
import type { Action } from '../plan/actions.ts';
import { BucketWrites, type Change, type Outcome } from './bucket-writes.ts';

export interface TurnParts {
  readonly fenced: LeaderBuckets;
  readonly services: Buckets['services'];
  readonly epoch: number;
  /** Takes the last update of a service back, if its record is still at this revision. */
  readonly rollBackService: (serviceId: string, version: number) => Promise<void>;
}

/** Answers what became of each action; never throws. */
export async function carryOutTurn(actions: readonly Action[], parts: TurnParts): Promise<Outcome[]> {
  const turn = new Turn(parts);
  for (const action of actions) turn.add(action);
  return turn.send();
}

class Turn {
  private readonly parts: TurnParts;
  private readonly slots;
  private readonly tasks;
  private readonly rollouts;
  private readonly scales;
  private readonly nets;
  private readonly others: Promise<Outcome>[] = [];

  constructor(parts: TurnParts) {
    const { slots, tasks, rollouts, scales, nets } = parts.fenced;
    this.parts = parts;
    this.slots = new BucketWrites('slots', slots);
    this.tasks = new BucketWrites('tasks', tasks);
    this.rollouts = new BucketWrites('rollouts', rollouts);
    this.scales = new BucketWrites('scales', scales);
    this.nets = new BucketWrites('nets', nets);
  }

  add(action: Action): void {
    const { epoch } = this.parts;
    switch (action.kind) {
      case 'put-slot':
        return this.slots.put(action, { ...action.record, epoch }, action.expectedRevision);
      case 'delete-slot':
        return this.slots.delete(action);
      case 'create-task':
        return this.tasks.put(action, { ...action.record, epoch }, undefined);
      case 'update-task':
        return this.tasks.put(action, { ...action.record, epoch }, action.expectedRevision);
      case 'delete-task':
        return this.tasks.delete(action);
      case 'put-rollout':
        return this.rollouts.put(action, { ...action.record, epoch }, action.expectedRevision);
      case 'delete-rollout':
        return this.rollouts.delete(action);
      case 'delete-scale':
        return this.scales.delete(action);
      case 'put-net':
        return this.nets.put(action, { ...action.record, epoch }, action.expectedRevision);
      case 'delete-net':
        return this.nets.delete(action);
      case 'delete-service':
      case 'roll-back-service':
        this.others.push(outcomeOf(action, this.changeService(action)));
    }
  }

  async send(): Promise<Outcome[]> {
    const { slots, tasks, rollouts, scales, nets, others } = this;
    const written = [slots, tasks, rollouts, scales, nets].map((writes) => writes.send());
    return (await Promise.all([...written, Promise.all(others)])).flat();
  }

  /** Services are written by every coordinator, under no leader's fence. */
  private async changeService(
    action: Extract<Action, { kind: 'delete-service' | 'roll-back-service' }>,
  ): Promise<Change | undefined> {
    const { key, expectedRevision } = action;
    if (action.kind === 'roll-back-service') {
      await this.parts.rollBackService(key, expectedRevision);
      return undefined;
    }
    await this.parts.services.delete(key, expectedRevision);
    return { bucket: 'services', deleted: key };
  }
}

function outcomeOf(action: Action, change: Promise<Change | undefined>): Promise<Outcome> {
  return change.then(
    (changed) => ({ action, change: changed }),
    (error: unknown) => ({ action, error }),
  );
}
