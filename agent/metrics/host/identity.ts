/** What the host and the exporter are called, and what time it is, under node_exporter's names. Pure. */
import { labelText } from '../../../runtime/label-text.ts';
import { type Family, single } from './family.ts';

/** The words of uname(2). */
export interface HostNames {
  readonly sysname: string;
  readonly release: string;
  readonly version: string;
  readonly machine: string;
  readonly nodename: string;
  readonly domainname: string;
}

export function unameFamilies(names: HostNames): Family[] {
  return infoFamilies('node_uname_info', 'What uname(2) says of this host.', { ...names });
}

/** Under this name, because dashboards find the hosts by it; the version is the agent's. */
export function buildFamilies(version: string): Family[] {
  const help = "Always 1; the version of the agent, which stands in for node_exporter's.";
  return infoFamilies('node_exporter_build_info', help, { version });
}

export function timeFamilies(unixMs: number): Family[] {
  return single('node_time_seconds', 'gauge', 'System time, in Unix seconds.', unixMs / 1000);
}

function infoFamilies(name: string, help: string, labels: Readonly<Record<string, string>>): Family[] {
  return [{ name, type: 'gauge', help, samples: [[labelText(labels), 1]] }];
}
