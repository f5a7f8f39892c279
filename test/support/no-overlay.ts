/** A host whose tasks are on no network of the cluster. */
import type { AgentParts } from '../../agent/agent-parts.ts';
import type { ExecutorParts } from '../../agent/step-executor.ts';

export const noOverlay: Pick<AgentParts, 'overlayHost' | 'networks'> = {
  overlayHost: {
    apply: async () => undefined,
    makeBridges: async () => undefined,
    check: async () => undefined,
    doubt: () => undefined,
  },
  networks: { connect: async () => undefined },
};

/** The same for what carries out a task's steps. */
export const noNetworks: Pick<ExecutorParts, 'overlay' | 'networks'> = {
  overlay: { attach: async () => [], placesOf: () => [], withdraw: async () => undefined },
  networks: { connect: async () => undefined },
};
