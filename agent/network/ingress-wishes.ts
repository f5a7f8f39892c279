/** What this host's published ports should lead to: lists of endpoints as they come, without who was withdrawn since. */
import type { IngressEndpoint, IngressTable, MeshView } from './ingress-table.ts';

export type IngressWish = Pick<IngressTable, 'endpoints' | 'leaving' | 'mesh'>;

export class IngressWishes {
  private readonly withdrawn = new Set<string>();
  private mesh: MeshView | undefined;
  /** Undefined until the first list: until then a table an earlier process left goes on serving. */
  private endpoints: readonly IngressEndpoint[] | undefined;

  /** A list of all endpoints; who is not on it is no longer withdrawn. */
  set(endpoints: readonly IngressEndpoint[]): void {
    const listed = new Set(endpoints.map(({ taskId }) => taskId));
    for (const taskId of this.withdrawn) if (!listed.has(taskId)) this.withdrawn.delete(taskId);
    this.endpoints = endpoints;
  }

  setMesh(mesh: MeshView | undefined): void {
    this.mesh = mesh;
  }

  /** False when the task had nothing. */
  withdraw(taskId: string): boolean {
    const had = this.endpoints?.some((endpoint) => endpoint.taskId === taskId) ?? false;
    if (had) this.withdrawn.add(taskId);
    return had;
  }

  /** Undefined before the first list. */
  get current(): IngressWish | undefined {
    const { endpoints, mesh } = this;
    if (endpoints === undefined) return undefined;
    const mayBeAsked = ({ taskId }: IngressEndpoint) => !this.withdrawn.has(taskId);
    const leaving = endpoints.filter((endpoint) => !mayBeAsked(endpoint));
    return { endpoints: endpoints.filter(mayBeAsked), leaving, mesh };
  }
}

/** Whether the table would lead anywhere. */
export function leadsSomewhere({ endpoints, leaving, mesh }: IngressWish): boolean {
  return endpoints.length + leaving.length > 0 || leadsElsewhere(mesh);
}

/** Whether another node has a port this one answers on. */
export function leadsElsewhere(mesh: MeshView | undefined): boolean {
  return mesh?.peers.some(({ ports }) => ports.length > 0) ?? false;
}
