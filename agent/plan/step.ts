/** The next thing to do for a task, with the reason. The planner names it, the executor does it. */
export type Step =
  /** Have the image on this node: pull it unless it is there (`refresh`: pull first, use the one here if that fails). */
  | { readonly kind: 'pull'; readonly image: string; readonly refresh: boolean; readonly reason: string }
  /** Make the container of `attempt` and start it. */
  | { readonly kind: 'create'; readonly attempt: number; readonly reason: string }
  /** Start a container that was made and never started. */
  | { readonly kind: 'start'; readonly containerId: string; readonly attempt: number; readonly reason: string }
  | { readonly kind: 'stop'; readonly containerId: string; readonly graceMs: number; readonly reason: string }
  | { readonly kind: 'remove'; readonly containerId: string; readonly reason: string }
  /** Look again then. */
  | { readonly kind: 'wait'; readonly untilElapsedMs: number; readonly reason: string }
  /** Nothing of the task is left and nobody asks for it: drop its status and its memory. */
  | { readonly kind: 'forget'; readonly reason: string };

export type StepKind = Step['kind'];
