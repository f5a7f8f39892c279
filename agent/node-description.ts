/** What this host is: asked of the engine at first and again now and then, for containers' templates and the node's record. */
import { hostnameProblem } from '../model/hostname.ts';
import type { NodeRecord } from '../model/node-record.ts';
import { PlimsollError } from '../runtime/errors.ts';
import type { Engine, EngineDescription } from './engine/engine.ts';
import type { Host } from './host.ts';
import type { HostPlace } from './host-config.ts';
import type { WireguardKeys } from './network/wireguard/wireguard-keys.ts';
import type { Incarnation } from './registration.ts';
import type { AgentSettings } from './settings.ts';

export interface DescriptionParts {
  readonly engine: Engine;
  readonly host: Host;
  readonly settings: AgentSettings;
  readonly nodeId: string;
  readonly clusterId: string;
  readonly natsUrls: readonly string[];
  readonly version: string;
  readonly wireguard?: Pick<WireguardKeys, 'announcedKey'> | undefined;
}

export class NodeDescription {
  private readonly parts: DescriptionParts;
  private engine: EngineDescription | undefined;
  private unboundedLogs = false;
  private readonly answered: Promise<void>;
  private noteAnswer: () => void = () => undefined;

  constructor(parts: DescriptionParts) {
    this.parts = parts;
    this.answered = new Promise((resolve) => {
      this.noteAnswer = resolve;
    });
  }

  /** Asks the engine; what it said before stays when it does not answer. */
  async refresh(): Promise<void> {
    const engine = await this.parts.engine.describe();
    this.unboundedLogs = engine.loggingDriver === 'json-file' && (await this.parts.host.logsAreUnbounded());
    this.engine = engine;
    this.noteAnswer();
  }

  /** For containers made here; waits until the engine has answered once. */
  async place(): Promise<HostPlace> {
    await this.answered;
    const { os, architecture, apiVersion } = this.known();
    const { clusterId, host } = this.parts;
    return { clusterId, hostname: host.hostname(), os, architecture, apiVersion, logsUnbounded: this.unboundedLogs };
  }

  get engineVersion(): string | undefined {
    return this.engine?.version;
  }

  get rootDir(): string | undefined {
    return this.engine?.rootDir;
  }

  async record(incarnation: Incarnation, agentPort: number): Promise<NodeRecord> {
    const { parts } = this;
    const engine = this.known();
    const address = parts.settings.address ?? (await parts.host.addressTowards(natsHost(parts.natsUrls)));
    const uplinkMtuBytes = await parts.host.uplinkMtuBytes(address);
    const wireguardKey = await parts.wireguard?.announcedKey();
    return {
      v: 1,
      id: parts.nodeId,
      incarnation: incarnation.incarnation,
      instance: incarnation.instance,
      hostname: validHostname(parts.host.hostname()),
      address,
      ...(uplinkMtuBytes !== undefined && { uplinkMtuBytes }),
      ...(wireguardKey !== undefined && { wireguardKey }),
      agentVersion: parts.version,
      agentPort,
      engine: {
        version: engine.version,
        apiVersion: engine.apiVersion,
        os: engine.os,
        architecture: engine.architecture,
        labels: { ...engine.labels },
        plugins: [...engine.plugins],
        liveRestore: engine.liveRestore,
      },
      resources: {
        nanoCpus: engine.cpus * 1e9,
        memoryBytes: engine.memoryBytes,
        ...(engine.generic.length > 0 ? { generic: [...engine.generic] } : {}),
      },
      manager: parts.host.hasCoordinator(),
    };
  }

  private known(): EngineDescription {
    if (this.engine) return this.engine;
    throw new PlimsollError('unavailable', 'The container engine has not answered yet');
  }
}

/** Throws `precondition`, naming it: the cluster would take the node's record for a damaged one. */
function validHostname(hostname: string): string {
  const problem = hostnameProblem(hostname);
  if (problem === undefined) return hostname;
  const whatToDo = 'Give the host another name with "hostnamectl set-hostname" and start the agent again';
  throw new PlimsollError(
    'precondition',
    `Cannot run as a node: the hostname ${JSON.stringify(hostname)} ${problem}. ${whatToDo}`,
  );
}

function natsHost(urls: readonly string[]): string {
  const [first = ''] = urls;
  const url = first.includes('://') ? first : `nats://${first}`;
  return URL.canParse(url) ? new URL(url).hostname : '127.0.0.1';
}
