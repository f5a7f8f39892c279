/** A service's privileges as the create call's `SecurityOpt` words them (moby daemon/cluster/executor/container). Pure. */
import type { Privileges } from '../model/privileges.ts';

export function securityOptions(privileges: Privileges = {}): string[] {
  const { SELinuxContext, Seccomp, AppArmor, NoNewPrivileges } = privileges;
  return [
    ...selinuxOptions(SELinuxContext),
    ...seccompOptions(Seccomp),
    ...(AppArmor?.Mode === 'disabled' ? ['apparmor=unconfined'] : []),
    ...(NoNewPrivileges ? ['no-new-privileges=true'] : []),
  ];
}

function selinuxOptions(context: Privileges['SELinuxContext'] = {}): string[] {
  const parts = { user: context.User, role: context.Role, level: context.Level, type: context.Type };
  const given = Object.entries(parts).filter(([, value]) => value !== undefined && value !== '');
  return [...(context.Disable ? ['label=disable'] : []), ...given.map(([part, value]) => `label=${part}:${value}`)];
}

/** The engine wants the profile itself, not its base64. */
function seccompOptions({ Mode, Profile = '' }: NonNullable<Privileges['Seccomp']> = {}): string[] {
  if (Mode === 'unconfined') return ['seccomp=unconfined'];
  if (Mode === 'custom') return [`seccomp=${Buffer.from(Profile, 'base64').toString('utf8')}`];
  return [];
}
