/** Beginnings of commands that many commands share. */
export const image = 'plimsoll/sleep:1';
// A short monitor: each convergence is watched that long.
export const create = ['service', 'create', '--quiet', '--no-resolve-image', '--update-monitor', '1s'];
export const inspect = (format: string, service: string): string[] => [
  'service',
  'inspect',
  '--format',
  format,
  service,
];
export const tasks = (format: string, service: string): string[] => [
  'service',
  'ps',
  '--no-trunc',
  '--format',
  format,
  service,
];
