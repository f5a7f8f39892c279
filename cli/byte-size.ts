/** Amounts of bytes as docker's CLI prints them: memory in powers of 1024, traffic in powers of 1000. Pure. */

const binaryUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
const decimalUnits = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** `1.5GiB`: up to four digits, as `docker stats` shows memory. */
export function memorySize(bytes: number): string {
  return sizeIn(bytes, 1024, binaryUnits, 4);
}

/** `1.2MB`: up to three digits, as `docker stats` shows traffic. */
export function trafficSize(bytes: number): string {
  return sizeIn(bytes, 1000, decimalUnits, 3);
}

function sizeIn(bytes: number, base: number, units: readonly string[], digits: number): string {
  let [amount, unit] = [bytes, 0];
  while (amount >= base && unit < units.length - 1) {
    amount /= base;
    unit += 1;
  }
  return `${Number(amount.toPrecision(digits))}${units[unit]}`;
}
