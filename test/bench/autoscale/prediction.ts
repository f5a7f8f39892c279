/** The counts at which Kubernetes' formula for replicas leaves a load alone: worked out anew, not by the code under test. Pure. */

/** As the default of `plimsoll.autoscale.tolerance`. */
const TOLERANCE = 0.1;

/**
 * `load`: in replicas that would be at their target just so. A count stays when the load is as close to it as the tolerance
 * says, or fills as many replicas as there are, the last one perhaps in part. Between 3 and 3.3 that holds for 3, if it came
 * from below, and for 4.
 */
export function countsThatStay(load: number, max: number): number[] {
  const stays = (count: number) => Math.abs(load / count - 1) <= TOLERANCE || Math.ceil(load) === count;
  return Array.from({ length: max }, (_, index) => index + 1).filter(stays);
}
