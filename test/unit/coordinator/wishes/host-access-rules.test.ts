import { describe, expect, it } from 'vitest';
import { checkHostAccess } from '../../../../coordinator/wishes/host-access-rules.ts';
import { checkServiceSpec } from '../../../../coordinator/wishes/service-rules.ts';
import { aSpec } from '../../../support/snapshots.ts';

const labels = { 'plimsoll.privileged': 'true', 'plimsoll.shm-size': '64m' };

describe('checkHostAccess()', () => {
  it('refuses what the operator has not allowed, and says how to', () => {
    expect(() => checkHostAccess(aSpec({ Labels: labels }))).toThrow(
      'Labels: plimsoll.privileged opens hosts to containers, which this cluster does not allow (allowed: nothing). Its operator may: plim coordinator --allow privileged',
    );
    expect(() => checkHostAccess(aSpec({ Labels: labels }), new Set(['privileged']))).toThrow('--allow shm-size');
  });

  it('takes what is allowed, and every other service', () => {
    expect(() => checkHostAccess(aSpec({ Labels: labels }), new Set(['privileged', 'shm-size']))).not.toThrow();
    expect(() => checkHostAccess(aSpec({ Labels: { devices: '/dev/null' } }))).not.toThrow();
  });
});

describe('labels for access to the host', () => {
  it.each([
    ['plimsoll.devices', '/dev/fuse'],
    ['plimsoll.devices', '/dev/fuse, /dev/sda:/dev/disk:r'],
    ['plimsoll.privileged', 'false'],
    ['plimsoll.shm-size', '1gb'],
    ['plimsoll.security-opt', 'apparmor=unconfined label:disable no-new-privileges'],
  ])('%s may say %s', (label, value) => {
    expect(() => checkServiceSpec(aSpec({ Labels: { [label]: value } }))).not.toThrow();
  });

  it.each([
    ['plimsoll.devices', 'fuse'],
    ['plimsoll.devices', '/dev/fuse:/dev/fuse:x'],
    ['plimsoll.devices', '/dev/fuse,'],
    ['plimsoll.privileged', 'yes'],
    ['plimsoll.shm-size', '0'],
    ['plimsoll.shm-size', '64 MB'],
    ['plimsoll.security-opt', ''],
    ['plimsoll.security-opt', 'unconfined'],
  ])('%s may not say %s', (label, value) => {
    expect(() => checkServiceSpec(aSpec({ Labels: { [label]: value } }))).toThrow(`Labels: ${label} must be`);
  });
});
