/** A host that publishes no ports. */
import type { AgentParts } from '../../agent/agent-parts.ts';

export const noPorts: AgentParts['ports'] = {
  apply: async () => undefined,
  withdraw: async () => undefined,
  checkFree: async () => undefined,
  applyMesh: async () => undefined,
  watch: async () => undefined,
};
