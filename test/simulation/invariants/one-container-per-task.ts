/** Of one task at most one container runs, and no attempt is made twice: whatever crashes, restarts or is told late. */
import { described } from './ground-truth.ts';
import type { InvariantMaker } from './invariant.ts';

export const oneContainerPerTask: InvariantMaker = ({ truth }) => ({
  name: 'one container per task',
  onContainer: (host, { action }, container) => {
    if (action !== 'start') return undefined;
    const twin = truth.besides(host, container).find(({ taskId }) => taskId === container.taskId);
    return twin && `${described(container, host)} started while ${described(twin, twin.host)} of the same task runs`;
  },
});
