/** How a command ends, for scripts. */
export const EXIT = {
  done: 0,
  /** A job failed, was cancelled or timed out; or inputs of a pipeline failed. */
  failed: 1,
  /** Wrong arguments, no key, an input that cannot be sent: nothing was sent. */
  usage: 2,
  /** The service refused: a wrong key, an unknown endpoint or job, too many requests. */
  refused: 3,
  /** The service could not be reached. */
  unreachable: 4,
  /** A job was sent and its answer was lost: it may run. It is not sent again. */
  unknown: 5,
  /** As a shell says it of a program that a signal has ended: 128 and the signal's number. */
  hungUp: 129,
  interrupted: 130,
  outputClosed: 141,
  terminated: 143,
} as const;
