/** Options that older engines take and drop without a word: refused there by name, as nothing may be ignored silently. */
import type { ContainerSpec } from '../model/service-spec.ts';
import { PlimsollError } from '../runtime/errors.ts';

interface Gate {
  readonly field: string;
  /** The Engine API version that brought it (moby docs/api/version-history.md). */
  readonly since: string;
  readonly isUsed: (spec: ContainerSpec) => boolean;
}

const mounts = (spec: ContainerSpec) => spec.Mounts ?? [];

const gates: readonly Gate[] = [
  {
    field: 'Mounts.BindOptions.CreateMountpoint',
    since: '1.42',
    isUsed: (spec) => mounts(spec).some(({ BindOptions: bind }) => bind?.CreateMountpoint === true),
  },
  { field: 'Healthcheck.StartInterval', since: '1.44', isUsed: (spec) => (spec.Healthcheck?.StartInterval ?? 0) > 0 },
  {
    field: 'Mounts.BindOptions.ReadOnlyNonRecursive or ReadOnlyForceRecursive',
    since: '1.44',
    isUsed: (spec) =>
      mounts(spec).some(
        ({ BindOptions: bind }) => bind?.ReadOnlyNonRecursive === true || bind?.ReadOnlyForceRecursive === true,
      ),
  },
  {
    field: 'Mounts.VolumeOptions.Subpath',
    since: '1.45',
    isUsed: (spec) => mounts(spec).some(({ VolumeOptions: volume }) => (volume?.Subpath ?? '') !== ''),
  },
  {
    field: 'Mounts.TmpfsOptions.Options',
    since: '1.46',
    isUsed: (spec) => mounts(spec).some(({ TmpfsOptions: tmpfs }) => (tmpfs?.Options ?? []).length > 0),
  },
];

/** Throws `unsupported` for the first option that an engine of this API version does not know. */
export function refuseBeyondEngine(spec: ContainerSpec, apiVersion: string): void {
  const beyond = gates.find((gate) => gate.isUsed(spec) && isOlder(apiVersion, gate.since));
  if (!beyond) return;
  throw new PlimsollError(
    'unsupported',
    `Cannot honour ContainerSpec.${beyond.field}: it needs Docker Engine API ${beyond.since}, the engine of this node speaks ${apiVersion}`,
  );
}

function isOlder(version: string, wanted: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = wanted.split('.').map(Number);
  return major < wantedMajor || (major === wantedMajor && minor < wantedMinor);
}
