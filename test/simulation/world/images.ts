/** The images simulated services run, by the first part of their name: what containers of them do. */
import type { ContainerRequest } from '../../../agent/container-spec.ts';
import type { ContainerSpec } from '../../../model/service-spec.ts';
import type { ContainerBehaviour } from '../../support/fake-engine/container-host.ts';

export const imageKinds = ['good', 'checked', 'stubborn', 'slow', 'crashing', 'unhealthy', 'missing'] as const;
/** What simulated jobs run. */
export const jobImageKinds = ['ending'] as const;
export type ImageKind = (typeof imageKinds)[number] | (typeof jobImageKinds)[number];

/** Images whose containers come up and stay up. */
export const soundKinds = ['good', 'checked', 'stubborn', 'slow'] as const satisfies readonly ImageKind[];

const SECOND_NS = 1_000_000_000;
const SLOW_PULL_MS = 8_000;

const behaviours: Readonly<Record<ImageKind, ContainerBehaviour>> = {
  good: { stopsAfterMs: 150 },
  checked: { stopsAfterMs: 400, healthyAfterMs: 1_200 },
  stubborn: { stopsAfterMs: undefined },
  slow: { stopsAfterMs: 100 },
  crashing: { exitsAfterMs: 700, exitCode: 1 },
  unhealthy: { healthyAfterMs: undefined, unhealthyAfterMs: 2_500 },
  missing: {},
  ending: { exitsAfterMs: 1_500, exitCode: 0, stopsAfterMs: 100 },
};

export function imageOf(kind: ImageKind, version: number): string {
  return `${kind}:${version}`;
}

export function kindOf(image: string): ImageKind {
  const name = image.slice(0, image.indexOf(':'));
  return [...imageKinds, ...jobImageKinds].find((kind) => kind === name) ?? 'good';
}

const sound: ReadonlySet<ImageKind> = new Set([...soundKinds, ...jobImageKinds]);

/** Whether its containers do what they are there for. */
export function isSound(image: string): boolean {
  return sound.has(kindOf(image));
}

export function behaviourOf({ body }: ContainerRequest): ContainerBehaviour {
  return behaviours[kindOf(String(body.Image))];
}

/** What of a container's specification belongs to its image. */
export function containerSpecOf(image: string): ContainerSpec {
  const hasCheck = ['checked', 'unhealthy'].includes(kindOf(image));
  const Healthcheck = { Test: ['CMD', 'check'], Interval: SECOND_NS };
  return { Image: image, StopGracePeriod: 2 * SECOND_NS, ...(hasCheck ? { Healthcheck } : {}) };
}

/** Why an image is not on a host at first; undefined for one that is. */
export function absenceOf(image: string): { readonly pullMs: number } | { readonly refusal: string } | undefined {
  const kind = kindOf(image);
  if (kind === 'slow') return { pullMs: SLOW_PULL_MS };
  return kind === 'missing' ? { refusal: `pull access denied for ${image}` } : undefined;
}
