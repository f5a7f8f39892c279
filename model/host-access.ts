/** Labels that open a host to a service's containers further than Docker's service API can say (moby#24862, #25303). */

export const hostAccesses = ['devices', 'privileged', 'shm-size', 'security-opt'] as const;
/** One kind of access, as the operator allows it: `plim coordinator --allow devices,shm-size`. */
export type HostAccess = (typeof hostAccesses)[number];

export const accessLabel = (access: HostAccess): string => `plimsoll.${access}`;

export interface DeviceMapping {
  readonly PathOnHost: string;
  readonly PathInContainer: string;
  /** Some of r, w and m (mknod). */
  readonly CgroupPermissions: string;
}

/** `/dev/fuse,/dev/sda:/dev/disk:r`, as `docker run --device` takes each; undefined for what is none. */
export function parseDevices(text: string): DeviceMapping[] | undefined {
  const devices = text.split(',').map((one) => /^(\/[^:,\s]+)(?::(\/[^:,\s]+))?(?::([rwm]{1,3}))?$/.exec(one.trim()));
  const mappings = devices.flatMap((match) => {
    const [, PathOnHost, PathInContainer = PathOnHost, CgroupPermissions = 'rwm'] = match ?? [];
    return PathOnHost === undefined || PathInContainer === undefined
      ? []
      : [{ PathOnHost, PathInContainer, CgroupPermissions }];
  });
  return mappings.length === devices.length ? mappings : undefined;
}

const unitBytes: Readonly<Record<string, number>> = { '': 1, b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };

/** `64m`, `1g`: bytes, in powers of 1024 as docker's flags take them; undefined for what is no size or none. */
export function parseSizeBytes(text: string): number | undefined {
  const [, amount, unit = ''] = /^(\d{1,9})([bkmg]?)b?$/i.exec(text) ?? [];
  const bytes = Number(amount) * (unitBytes[unit.toLowerCase()] ?? Number.NaN);
  return bytes > 0 ? bytes : undefined;
}

/** `apparmor=unconfined label=disable`: what `docker run --security-opt` takes, between spaces. */
export function parseSecurityOptions(text: string): string[] | undefined {
  const options = text.trim().split(/\s+/);
  return options.every((option) => /^[a-z-]+[=:]\S+$|^no-new-privileges$/.test(option)) ? options : undefined;
}
