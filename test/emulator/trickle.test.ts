import { VirtualTimeScheduler } from 'rxjs';
import { expect, test } from 'vitest';
import { trickle } from '../../src/emulator/faults/trickle.js';

function played(text: string, ms: number) {
  const scheduler = new VirtualTimeScheduler();
  const pieces: string[] = [];
  let endedAt: number | undefined;
  trickle(text, ms, scheduler).subscribe({
    next: (piece) => pieces.push(piece),
    complete: () => (endedAt = scheduler.now()),
  });
  const atOnce = pieces.length;
  scheduler.flush();
  return { pieces, atOnce, endedAt };
}

test.each(['', 'a', 'abcdefghijklm', '🙂'.repeat(25), `a${'🙂'.repeat(25)}`])(
  '%j comes whole, in ten pieces, the last at the end; no letter is cut',
  (text) => {
    const { pieces, atOnce, endedAt } = played(text, 900);
    expect([pieces.join(''), pieces.length, atOnce, endedAt]).toEqual([text, 10, 1, 900]);
    for (const piece of pieces) expect(Buffer.from(piece).toString()).toBe(piece);
  },
);
