/** No record of a former leader is ever stored after one of its successor: a stale epoch is never acted on. */
import { type BucketName, leaderBucketNames } from '../../../bus/bucket-definitions.ts';
import type { InvariantMaker } from './invariant.ts';

export const oneLeaderWrites: InvariantMaker = ({ world }) => {
  const highest = new Map<BucketName, { epoch: number; revision: number; changes: number }>();
  return {
    name: 'one leader writes',
    eachSecond: () => {
      for (const name of leaderBucketNames) {
        const before = highest.get(name) ?? { epoch: 0, revision: 0, changes: -1 };
        const store = world.network.server.store(name);
        if (store.changes === before.changes) continue;
        const newer = store.content('>').filter(({ revision }) => revision > before.revision);
        let { epoch, revision } = before;
        for (const message of newer.filter(({ deleted }) => !deleted)) {
          const found = Number(/"epoch":(\d+)/.exec(message.data)?.[1] ?? epoch);
          if (found < epoch && !world.wishesLost)
            return `${message.key} in ${name} was written under epoch ${found} after others under epoch ${epoch}`;
          epoch = Math.max(epoch, found);
          revision = message.revision;
        }
        highest.set(name, { epoch, revision, changes: store.changes });
      }
      return undefined;
    },
  };
};
