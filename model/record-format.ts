/**
 * What the records in the buckets have in common: a format version `v`, ids, times. Records the leader writes carry
 * `epoch`, the number of the lease they were written under (fencing). Times inside records are milliseconds of the wall
 * clock of the writer and are for people; a record's own age is the bus's message time.
 */
import { z } from 'zod';

/** What `v` says: the format a record is written in. */
export const FormatVersion = z.literal(1);

/** 25 characters a-z0-9, as Swarm's ids. */
export const Id = z.string().regex(/^[a-z0-9]{25}$/);

export const Epoch = z.int().min(0);

/** Milliseconds since 1970 of the clock of who wrote it. */
export const TimeMs = z.number();
