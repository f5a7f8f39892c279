/** How the routing mesh treats a service's connections, by its labels. Pure. */
import type { MeshPort } from './mesh-record.ts';

/** `client-ip`: connections of one client address go to the same task while the ready tasks stay the same. */
export const MESH_AFFINITY_LABEL = 'plimsoll.mesh.affinity';
/** `true`: tasks see an address of a node instead of the client's. */
export const MESH_MASQUERADE_LABEL = 'plimsoll.mesh.masquerade';

export const meshAffinities = ['none', 'client-ip'] as const;

export type MeshOptions = Pick<MeshPort, 'affinity' | 'masquerade'>;

/** The labels have been checked on the way in: what is not understood counts as unset. */
export function meshOptions(labels: Readonly<Record<string, string>> | undefined): MeshOptions {
  return {
    affinity: labels?.[MESH_AFFINITY_LABEL] === 'client-ip' ? 'client-ip' : 'none',
    masquerade: labels?.[MESH_MASQUERADE_LABEL] === 'true',
  };
}
