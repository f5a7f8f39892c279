/** How long a request to JetStream may take before its outcome is unknown. */
export const requestTimeoutMs = 5_000;
