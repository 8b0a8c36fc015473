import type { HandlerContext, HandlerJob } from 'runpod-rx/emulator';

class AmountError extends Error {
  override readonly name = 'AmountError';
}

/** Adds up the amounts of a bill, and throws if an amount is not a number. */
export async function accountant(
  { input }: HandlerJob<{ bill: string }>,
  { sleep }: HandlerContext,
): Promise<{ total: number }> {
  let total = 0;
  for (const [at, line] of input.bill.trim().split('\n').entries()) {
    await sleep(300);
    const [what = '', amount = ''] = line.split(':').map((part) => part.trim());
    if (!/^\d+(\.\d+)?$/.test(amount)) {
      throw new AmountError(`line ${at + 1} of the bill (${what}): '${amount}' is not a number`);
    }
    total += Number(amount);
  }
  return { total };
}
