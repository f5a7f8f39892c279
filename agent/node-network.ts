/** The network side of this node: its place in overlays and mesh, its published ports, and a look at whether they work. */
import type { NetworkWarning } from '../model/network-warning.ts';
import type { AgentMetrics } from './agent-metrics.ts';
import type { AgentParts } from './agent-parts.ts';
import { IngressFeed } from './ingress-feed.ts';
import { Mesh } from './network/mesh/mesh.ts';
import { Overlay } from './network/overlay/overlay.ts';
import type { MeshReach } from './network/overlay/overlay-view.ts';
import { type TrafficView, trafficView } from './network/traffic/traffic-view.ts';
import { NetworkWatch } from './network/watch/network-watch.ts';
import type { UnnumberedStatus } from './plan/status.ts';
import type { TasksHere } from './tasks-here.ts';

export interface NodeNetworkParts
  extends Pick<AgentParts, 'identity' | 'clock' | 'log' | 'files' | 'ports' | 'overlayHost' | 'networkTools'> {
  readonly stateDir: string;
  readonly metrics: AgentMetrics;
  readonly here: () => TasksHere;
}

export class NodeNetwork {
  readonly overlay: Overlay;
  readonly mesh: Mesh;
  private readonly parts: NodeNetworkParts;
  private readonly ingress: IngressFeed;
  private readonly watch: NetworkWatch | undefined;

  constructor(parts: NodeNetworkParts) {
    this.parts = parts;
    this.overlay = this.createOverlay();
    this.mesh = this.createMesh();
    this.watch = this.createWatch();
    this.ingress = new IngressFeed(this.mesh, parts.log, parts.metrics);
  }

  /** What is wrong with this node's network, as last looked at. */
  get warnings(): readonly NetworkWarning[] {
    return this.watch?.warnings ?? [];
  }

  /** Whose connections are counted. */
  get traffic(): TrafficView {
    return trafficView(this.parts.here().tasks(), this.overlay.snapshot());
  }

  /** What goes on until the signal aborts, by name. */
  background(signal: AbortSignal): (readonly [name: string, work: Promise<void>])[] {
    const { mesh, overlay, watch } = this;
    return [
      ['published ports', mesh.watch(signal)],
      ['networks', overlay.watch(signal)],
      ...(watch ? [['network watch', watch.watch(signal)] as const] : []),
    ];
  }

  /** All containers are known. */
  begin(): void {
    this.ingress.begin(this.parts.here());
    void this.overlay.begin();
  }

  /** A task changed. */
  take(status: UnnumberedStatus): void {
    this.ingress.take(status, this.parts.here());
    this.overlay.take(status);
    if (status.removed) this.mesh.forget(status.taskId);
  }

  private createOverlay(): Overlay {
    const { parts } = this;
    const tasks = () => parts.here().tasks();
    return new Overlay({ ...parts, ...parts.identity, host: parts.overlayHost, tasks });
  }

  private createMesh(): Mesh {
    const { parts } = this;
    const reach = (mesh: MeshReach | undefined) => this.overlay.reach(mesh);
    return new Mesh({ ...parts, ...parts.identity, reach });
  }

  private createWatch(): NetworkWatch | undefined {
    const { networkTools: tools, clock, log, metrics, ports } = this.parts;
    const view = () => this.overlay.snapshot();
    const troubles = () => [ports.trouble, this.overlay.trouble].filter((each) => each !== undefined);
    const isOlder = (nodeId: string) => this.mesh.isOlder(nodeId);
    return tools && new NetworkWatch({ ...tools, clock, log, metrics, view, troubles, isOlder });
  }
}
