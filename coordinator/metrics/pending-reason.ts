/** Why tasks wait, as one of a few words a label may hold; the full sentence is in `docker service ps`. Pure. */

/** Words of the planner's sentence -> label value; the first that occurs wins: it is the reason of most nodes. */
const reasonWords = [
  ['insufficient resources', 'resources'],
  ['scheduling constraints', 'constraints'],
  ['unsupported platform', 'platform'],
  ['host-mode port', 'port'],
  ['max replicas per node', 'max-replicas'],
  ['not available for new tasks', 'node-unavailable'],
  ['no nodes', 'no-nodes'],
] as const;

export type PendingReason = (typeof reasonWords)[number][1] | 'other';

export function pendingReason(sentence: string): PendingReason {
  const found = reasonWords
    .map(([words, reason]) => ({ reason, at: sentence.indexOf(words) }))
    .filter(({ at }) => at !== -1)
    .sort((a, b) => a.at - b.at);
  return found[0]?.reason ?? 'other';
}
