/** Settings of `plim coordinator`: flags, `PLIMSOLL_*`, config file; see runtime/settings.ts. */
import { z } from 'zod';
import { hostAccesses } from '../model/host-access.ts';

function baseUrl(example: string) {
  return z
    .url({ protocol: /^https?$/, error: `must be a URL such as ${example}` })
    .refine((url) => !/@/.test(new URL(url).host + url.split('/')[2]), 'must not hold a user or password')
    .optional();
}

export const CoordinatorSettings = z.object({
  /** Holds cluster/ (keys, this coordinator's identity) and, where the host is a node too, node/identity.json. */
  stateDir: z.string().default('/var/lib/plimsoll'),
  /** Unix socket of the Engine API and the whole native API. */
  socket: z.string().default('/run/plimsoll/docker.sock'),
  /** Address other hosts reach this coordinator's host at. */
  advertise: z.string().default('127.0.0.1'),
  /** Where the read-only pages (/metrics, /v1/sd, /healthz, /readyz) are served. */
  listen: z.string().default('0.0.0.0'),
  port: z.coerce.number().int().min(0).max(65535).default(7700),
  /** Labels that may open hosts to containers: `devices,shm-size`. */
  allow: z
    .string()
    .default('')
    .transform((list) =>
      list
        .split(',')
        .map((name) => name.trim())
        .filter(Boolean),
    )
    .pipe(z.array(z.enum(hostAccesses))),
  /** Where services that scale by a query have it answered: `http://10.0.0.5:9090`, a path before /api/v1 included. */
  prometheus: baseUrl('http://10.0.0.5:9090'),
  /** Monitoring port of the NATS server whose queues services scale by: `http://10.0.0.5:8222`. */
  natsMonitoring: baseUrl('http://10.0.0.5:8222'),
  /** Asked which alerts fire, beside what it says at /v1/alerts: `http://10.0.0.5:9093`. */
  alertmanager: baseUrl('http://10.0.0.5:9093'),
  logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
});
export type CoordinatorSettings = z.infer<typeof CoordinatorSettings>;
