/** What a service's labels open of the host; the coordinator refuses those its operator does not allow. Pure. */
import {
  accessLabel,
  type HostAccess,
  parseDevices,
  parseSecurityOptions,
  parseSizeBytes,
} from '../model/host-access.ts';

/** Parts of the create call's HostConfig. `options` are those the service's own privileges say. */
export function hostAccess(labels: Readonly<Record<string, string>>, options: readonly string[]) {
  const said = (access: HostAccess) => labels[accessLabel(access)] ?? '';
  const securityOptions = [
    ...options,
    ...(said('security-opt') ? (parseSecurityOptions(said('security-opt')) ?? []) : []),
  ];
  return {
    Privileged: said('privileged') === 'true' ? true : undefined,
    Devices: said('devices') ? parseDevices(said('devices')) : undefined,
    ShmSize: parseSizeBytes(said('shm-size')),
    SecurityOpt: securityOptions.length > 0 ? securityOptions : undefined,
  };
}
