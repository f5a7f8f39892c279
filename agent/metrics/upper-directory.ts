/** Where a container's writable layer lies, by the mounts its own processes see. Format: proc_pid_mountinfo(5). Pure. */

/** On the host; undefined unless the root of these mounts is an overlay. Of mounts over one another the last counts. */
export function upperDirectory(mountinfo: string): string | undefined {
  const root = mountinfo.split('\n').findLast((line) => line.split(' ')[4] === '/');
  const [fsType, , options = ''] = root?.split(' - ')[1]?.split(' ') ?? [];
  if (fsType !== 'overlay') return undefined;
  const upper = /(?:^|,)upperdir=((?:\\,|[^,])+)/.exec(options)?.[1];
  return upper?.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)));
}
