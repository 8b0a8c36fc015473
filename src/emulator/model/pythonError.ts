/** The version of the worker SDK that stands in errors. */
const WORKER_VERSION = '1.8.2';

/** JSON as Python's `json.dumps` writes it: a space after each separator, only ASCII. */
function pythonJson(members: Readonly<Record<string, string>>): string {
  const text = (value: string): string =>
    JSON.stringify(value).replace(
      /[\u007f-\uffff]/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
  return `{${Object.entries(members)
    .map(([name, value]) => `${text(name)}: ${text(value)}`)
    .join(', ')}}`;
}

function describe(error: unknown): { readonly name: string; readonly message: string; readonly traceback: string } {
  if (!(error instanceof Error)) return { name: 'Exception', message: String(error), traceback: String(error) };
  return { name: error.name, message: error.message, traceback: error.stack ?? String(error) };
}

/** The `error` of a job whose handler threw: a string that holds JSON. */
export function raised(error: unknown, workerId: string): string {
  const { name, message, traceback } = describe(error);
  return pythonJson({
    error_type: `<class '${name}'>`,
    error_message: message,
    error_traceback: traceback,
    hostname: `${workerId}-64410d87`,
    worker_id: workerId,
    runpod_version: WORKER_VERSION,
  });
}

/** The `error` of a job whose generator threw. */
export function raisedInGenerator(error: unknown): string {
  const { message, traceback } = describe(error);
  return `handler: ${message} \ntraceback: ${traceback}`;
}
