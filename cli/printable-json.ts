/**
 * What containers, nodes and Prometheus say is shown on the terminals of those who run the cluster: nobody but plim itself
 * may move the cursor there, hide lines or set titles.
 */

const SHORT_CODES: Readonly<Record<string, number>> = { b: 8, f: 12, r: 13 };
const TAB = 9;
const LINE_FEED = 10;

/** JSON with control characters in its texts written out (`\x1b`), but for line feeds and tabs. Pure. */
export function printableJson(json: string): string {
  return json.replace(/\\(?:u([0-9a-f]{4})|(.))|[\x7f-\x9f]/gis, (found: string, hex?: string, short?: string) => {
    const code = hex ? Number.parseInt(hex, 16) : short ? SHORT_CODES[short] : found.charCodeAt(0);
    return code !== undefined && isControl(code) ? `\\\\x${code.toString(16).padStart(2, '0')}` : found;
  });
}

function isControl(code: number): boolean {
  return (code < 0x20 && code !== TAB && code !== LINE_FEED) || (code >= 0x7f && code < 0xa0);
}
