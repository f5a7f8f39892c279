/**
 * Ports that stay this host's own: where one of its programs waits on a port other nodes publish, the mesh does not answer
 * for them here. Else a service on port 22 or 4222 of one node would take SSH and the bus from all the others.
 */
import type { Log } from '../../../runtime/log.ts';
import { heldPorts, type PublishedPort, portKey } from '../held-ports.ts';
import type { MeshView } from '../ingress-table.ts';
import { type IngressWish, leadsElsewhere } from '../ingress-wishes.ts';
import type { ProcFiles } from '../loopback-routing.ts';

export class KeptPorts {
  private readonly files: Pick<ProcFiles, 'read'>;
  private readonly log: Log;
  private held: ReadonlySet<string> = new Set();
  /** Those the host was asked for; to ask is dear where it has many connections. */
  private asked: ReadonlySet<string> = new Set();
  private said = '';

  constructor(files: Pick<ProcFiles, 'read'>, log: Log) {
    this.files = files;
    this.log = log;
  }

  /** Programs come and go: asks again next time. */
  doubt(): void {
    this.asked = new Set();
  }

  /** The mesh without what this host keeps. A port with tasks here was found free before they were started. */
  async meshWithout({ endpoints, leaving, mesh }: IngressWish): Promise<MeshView | undefined> {
    if (mesh === undefined || !leadsElsewhere(mesh)) return mesh;
    const ofTasks = new Set(
      [...endpoints, ...leaving].map(({ protocol, publishedPort: port }) => portKey({ protocol, port })),
    );
    const elsewhere = mesh.peers.flatMap(({ ports }) => ports.map(portKey));
    const kept = await this.keptOf(new Set(elsewhere.filter((key) => !ofTasks.has(key))));
    if (kept.size === 0) return mesh;
    const isAnswered = (port: PublishedPort) => !kept.has(portKey(port));
    return { ...mesh, peers: mesh.peers.map((peer) => ({ ...peer, ports: peer.ports.filter(isAnswered) })) };
  }

  private async keptOf(keys: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    if ([...keys].some((key) => !this.asked.has(key))) {
      this.held = await heldPorts(this.files);
      this.asked = keys;
    }
    const kept = [...keys].filter((key) => this.held.has(key)).sort();
    this.say(kept.join(', '));
    return new Set(kept);
  }

  private say(ports: string): void {
    if (ports === this.said) return;
    this.said = ports;
    if (ports === '') return;
    this.log.warn({ ports }, 'programs of this host wait on ports services publish: here these ports stay theirs');
  }
}
