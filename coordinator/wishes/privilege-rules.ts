/** Privileges that cannot mean anything, refused when a service is submitted. Pure. */
import type { Privileges } from '../../model/privileges.ts';
import { invalid } from './errors.ts';

const PROFILE = 'TaskTemplate.ContainerSpec.Privileges.Seccomp.Profile';

/** Throws `invalid`, naming the field: a profile that no engine could load, or one that would go unused. */
export function checkPrivileges({ Seccomp }: Privileges = {}): void {
  const { Mode = '', Profile = '' } = Seccomp ?? {};
  if (Mode !== 'custom') {
    if (Profile !== '') throw invalid(`${PROFILE}: is used with Mode "custom" only, not "${Mode}"`);
    return;
  }
  try {
    JSON.parse(Buffer.from(Profile, 'base64').toString('utf8'));
  } catch {
    throw invalid(`${PROFILE}: with Mode "custom" it must be the base64 of a seccomp profile (JSON)`);
  }
}
