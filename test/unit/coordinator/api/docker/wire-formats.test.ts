import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { eventView, isEventWanted } from '../../../../../coordinator/api/docker/event-view.ts';
import { parseFilters, passes, passesLabels } from '../../../../../coordinator/api/docker/filters.ts';
import { spelledAs } from '../../../../../coordinator/api/docker/key-spelling.ts';
import { encodeFrame, readFrames } from '../../../../../coordinator/api/docker/log-frames.ts';
import { toApiError } from '../../../../../coordinator/api/docker/responses.ts';
import { StaleVersionError } from '../../../../../coordinator/wishes/errors.ts';
import type { ErrorCode } from '../../../../../model/error-body.ts';
import type { ClusterEvent } from '../../../../../model/messages.ts';
import { PlimsollError } from '../../../../../runtime/errors.ts';

describe('readFrames()', () => {
  it('reads what encodeFrame() wrote, wherever the bytes are cut', async () => {
    const frames = fc.array(fc.record({ stream: fc.constantFrom(1, 2), payload: fc.uint8Array({ maxLength: 40 }) }));
    await fc.assert(
      fc.asyncProperty(frames, fc.integer({ min: 1, max: 30 }), async (written, cut) => {
        const bytes = Buffer.concat(written.map(({ stream, payload }) => encodeFrame(stream, payload)));
        const read: { stream: number; payload: Uint8Array }[] = [];
        for await (const { stream, payload } of readFrames(chunksOf(bytes, cut))) {
          read.push({ stream, payload: Uint8Array.from(payload) });
        }
        expect(read).toEqual(written);
      }),
    );
  });

  it('refuses bytes that are no frames', async () => {
    const reading = readFrames(chunksOf(Buffer.from('just text, no frames'), 99));
    await expect(reading.next()).rejects.toThrow('a frame claims');
  });
});

async function* chunksOf(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

describe('parseFilters()', () => {
  it('takes maps and lists', () => {
    expect(parseFilters('{"name":{"a":true,"b":false},"id":["c"]}', ['name', 'id'])).toEqual(
      new Map([
        ['name', ['a']],
        ['id', ['c']],
      ]),
    );
  });

  it.each(['[]', '{"name":3}', 'nonsense', '{"name":{"a":1}}'])('refuses %s', (text) => {
    expect(() => parseFilters(text, ['name'])).toThrow('invalid filter');
  });

  it('ORs values, but wants every label', () => {
    const filters = new Map([
      ['name', ['a', 'b']],
      ['label', ['x', 'y=1']],
    ]);
    expect(passes(filters, 'name', (value) => value === 'b')).toBe(true);
    expect(passes(filters, 'other', () => false)).toBe(true);
    expect(passesLabels(filters, 'label', { x: '', y: '1' })).toBe(true);
    expect(passesLabels(filters, 'label', { x: '', y: '2' })).toBe(false);
  });
});

describe('spelledAs()', () => {
  const schema = z.strictObject({
    Mode: z.strictObject({ Replicas: z.int().optional() }).optional(),
    Labels: z.record(z.string(), z.string()).optional(),
    Ports: z.array(z.strictObject({ TargetPort: z.int() })).optional(),
  });

  it('corrects the case of keys, not of the keys of maps', () => {
    const json = { mode: { replicas: 2 }, labels: { mode: 'x' }, PORTS: [{ targetPort: 80 }], unknown: 1 };
    expect(spelledAs(schema, json)).toEqual({
      Mode: { Replicas: 2 },
      Labels: { mode: 'x' },
      Ports: [{ TargetPort: 80 }],
      unknown: 1,
    });
  });

  it('changes nothing the second time, whatever the JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        const once = spelledAs(schema, json);
        expect(spelledAs(schema, once)).toEqual(once);
      }),
    );
  });
});

describe('toApiError()', () => {
  it.each<[ErrorCode, number, string]>([
    ['invalid', 400, 'rpc error: code = InvalidArgument desc = x'],
    ['conflict', 409, 'rpc error: code = AlreadyExists desc = x'],
    ['precondition', 400, 'rpc error: code = FailedPrecondition desc = x'],
    ['unsupported', 501, 'rpc error: code = Unimplemented desc = x'],
    ['not-found', 404, 'x'],
    ['unavailable', 503, 'x'],
  ])('%s is %i', (code, status, message) => {
    expect(toApiError(new PlimsollError(code, 'x'))).toMatchObject({ status, message });
  });

  it('a stale version is 500, as Swarm has it', () => {
    expect(toApiError(new StaleVersionError())).toMatchObject({ status: 500 });
  });
});

describe('events', () => {
  const event = (changes: Partial<ClusterEvent> = {}): ClusterEvent => ({
    kind: 'service',
    id: 's1',
    action: 'update',
    attributes: { name: 'web' },
    atMs: 1_795_347_416_939,
    ...changes,
  });
  const wanted = (filters: Record<string, string[]>, changes: Partial<ClusterEvent> = {}) =>
    isEventWanted(event(changes), new Map(Object.entries(filters)));

  it('are shown in the words of docker events', () => {
    expect(JSON.stringify(eventView(event()))).toBe(
      '{"Type":"service","Action":"update","Actor":{"ID":"s1","Attributes":{"name":"web"}},"scope":"swarm",' +
        '"time":1795347416,"timeNano":1795347416939000000}',
    );
    expect(eventView(event({ kind: 'container', attributes: { image: 'a:1' } }))).toMatchObject({
      status: 'update',
      id: 's1',
      from: 'a:1',
      scope: 'local',
    });
  });

  it('are filtered by type, object, action and label', () => {
    expect(wanted({ type: ['service'], service: ['web'], event: ['update'] })).toBe(true);
    expect(wanted({ type: ['node'] })).toBe(false);
    expect(wanted({ container: ['web'] })).toBe(false);
    expect(wanted({ event: ['create'] })).toBe(false);
    expect(wanted({ label: ['name=web'] })).toBe(true);
  });

  it('of kinds Docker does not know come only when asked for', () => {
    expect(wanted({}, { kind: 'task' })).toBe(false);
    expect(wanted({ type: ['task'] }, { kind: 'task' })).toBe(true);
  });
});
