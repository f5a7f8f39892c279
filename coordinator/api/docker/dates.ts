/** Times as Docker writes them. */

/** RFC 3339 in UTC with milliseconds. */
export const isoTime = (wallMs: number): string => new Date(wallMs).toISOString();
