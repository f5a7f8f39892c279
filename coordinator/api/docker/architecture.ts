/** Node's word for this machine's architecture in the spelling of Docker, which is Go's. */
export function goArchitecture(): string {
  return process.arch === 'x64' ? 'amd64' : process.arch;
}
