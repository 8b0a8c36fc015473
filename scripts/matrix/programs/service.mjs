// For runtimes that answer requests: the options come as the body of a request, the result is the answer.
import { program } from './program.mjs';

export async function answer(request) {
  try {
    return globalThis.Response.json(await program(await request.json()));
  } catch (error) {
    return new globalThis.Response(String(error.stack ?? error), { status: 500 });
  }
}
export default { fetch: answer };
