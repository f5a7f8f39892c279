/** What a user was told is done is done: no acknowledged wish is lost, whoever led or died meanwhile. */
import type { ServiceSpec } from '../../../model/service-spec.ts';
import type { InvariantMaker } from './invariant.ts';

export const wishesAreKept: InvariantMaker = ({ operator, truth }) => ({
  name: 'wishes are kept',
  atEnd: () => {
    for (const { name, id, spec, removed, open } of operator.services.values()) {
      if (id === undefined || open > 0) continue;
      const stored = truth.service(id);
      const isThere = stored !== undefined && stored.removedAtMs === undefined;
      if (removed && isThere) return `the removal of ${name} was acknowledged, yet it is there`;
      if (!removed && !isThere) return `${name} was created, nobody removed it, yet it is gone`;
      if (stored && isThere && spec && words(stored.spec) !== words(spec) && stored.change !== 'rollback')
        return `${name} should be ${words(spec)}, it is ${words(stored.spec)}`;
    }
    return undefined;
  },
});

function words({ TaskTemplate, Mode }: ServiceSpec): string {
  return `${Mode?.Replicated?.Replicas} of ${TaskTemplate.ContainerSpec.Image}`;
}
