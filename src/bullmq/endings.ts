/** An error that BullMQ does not retry. It knows such errors by their name, so that the package need not be imported. */
export function unrecoverable(message: string, cause?: unknown): Error {
  return Object.assign(new Error(message, { cause }), { name: 'UnrecoverableError' });
}

/** Tells BullMQ to leave a job where it is: it was moved already, or belongs to another worker. */
export function leftToQueue(message: string): Error {
  return Object.assign(new Error(message), { name: 'WaitingError' });
}
