/**
 * Where in the cluster Prometheus, Alertmanager and Grafana run: once, as the stack or as programs of one host. Two Alertmanagers
 * that know nothing of each other would tell people everything twice, and call what began for each at another second two alerts.
 * Programs are unknown to the cluster: a config of it, which can be created once, names their host.
 */
import { z } from 'zod';
import { PlimsollError } from '../../runtime/errors.ts';
import type { ApiClient } from '../api-client.ts';
import { MONITORING_STACK } from './monitoring-stack.ts';

const API = '/v1.41';
const MARK = 'plimsoll-monitoring-native';
const HOST_LABEL = 'host';
const Marks = z.array(z.object({ Spec: z.object({ Name: z.string(), Labels: z.record(z.string(), z.string()) }) }));
const Created = z.object({ ID: z.string() });

type Api = Pick<ApiClient, 'get' | 'post' | 'delete'>;

/** The host whose programs they are; undefined when none's. */
export async function nativeHost(api: Api): Promise<string | undefined> {
  const marks = await api.get(`${API}/configs?filters=${filters({ name: [MARK] })}`, Marks);
  // The filter finds longer names too.
  return marks.find(({ Spec }) => Spec.Name === MARK)?.Spec.Labels[HOST_LABEL];
}

/** Writes down that they are this host's programs. Throws `conflict` while they run elsewhere, or as the stack. */
export async function claimForHost(api: Api, hostname: string): Promise<void> {
  const isMeant = { label: [`com.docker.stack.namespace=${MONITORING_STACK}`] };
  const services = await api.get(`${API}/services?filters=${filters(isMeant)}`, z.array(z.unknown()));
  if (services.length > 0) {
    throw new PlimsollError(
      'conflict',
      `Cannot start them here: they run as the stack ${MONITORING_STACK}. Remove it: plim monitoring down`,
    );
  }
  const host = await nativeHost(api);
  if (host !== undefined && host !== hostname) throw runsOn(host);
  if (host === undefined) await api.post(`${API}/configs/create`, Created, markOf(hostname));
}

/** Throws `conflict` while they are some host's programs. */
export async function refuseBesideHost(api: Api): Promise<void> {
  const host = await nativeHost(api);
  if (host !== undefined) throw runsOn(host);
}

/** They are this host's no more; another's claim stays. */
export async function releaseFromHost(api: Api, hostname: string): Promise<void> {
  if ((await nativeHost(api)) === hostname) await api.delete(`${API}/configs/${MARK}`);
}

function runsOn(host: string): PlimsollError {
  const advice = `Stop them there: plim monitoring down --native. If ${host} is gone for good: docker config rm ${MARK}`;
  return new PlimsollError('conflict', `Cannot start them here: they run as programs of ${host}. ${advice}`);
}

function markOf(hostname: string) {
  const text = 'Prometheus, Alertmanager and Grafana are programs of the host the label names (plim monitoring).\n';
  return { Name: MARK, Labels: { [HOST_LABEL]: hostname }, Data: Buffer.from(text).toString('base64') };
}

function filters(wanted: Readonly<Record<string, readonly string[]>>): string {
  return encodeURIComponent(JSON.stringify(wanted));
}
