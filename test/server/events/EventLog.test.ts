import { VirtualTimeScheduler } from 'rxjs';
import { expect, test } from 'vitest';
import { EventLog } from '../../../src/server/events/EventLog.js';

const log = () => {
  const scheduler = new VirtualTimeScheduler();
  return { scheduler, log: new EventLog(scheduler) };
};
/** Lets time pass. */
const pass = (scheduler: VirtualTimeScheduler, ms: number) => {
  scheduler.schedule(() => undefined, ms);
  scheduler.flush();
};

test('gives exactly the events after a position', () => {
  const { log: events } = log();
  const positions = [events.position];
  const texts = ['a', 'b', 'c'].map((data) => {
    const text = events.add('job', data);
    positions.push(events.position);
    return text;
  });
  expect(positions.map((position) => events.after(position))).toEqual([texts, texts.slice(1), texts.slice(2), []]);
});

test('an event names its type, the position after it, and each line of its data', () => {
  const { log: events } = log();
  const text = events.add('job', '{"a":\r\n1,\n"b":2}');
  expect(text).toBe(`id: ${events.position}\nevent: job\ndata: {"a":\ndata: 1,\ndata: "b":2}\n\n`);
});

test.each(['', 'x', '.', '1', 'other.1', '.1', 'NaN.NaN'])('a position of another log is none: %s', (position) => {
  const { log: events } = log();
  events.add('job', 'a');
  expect(events.after(position)).toBeUndefined();
});

test.each(['', 'x', '-1', '2', '0.5', '1e9', 'NaN', 'Infinity'])(
  'a number that the log has not given is none: %s',
  (number) => {
    const { log: events } = log();
    const id = events.position.slice(0, -2);
    events.add('job', 'a');
    expect([events.after(`${id}.1`), events.after(`${id}.${number}`)]).toEqual([[], undefined]);
  },
);

test('two logs are never taken for one another', () => {
  const [one, other] = [log().log, log().log];
  expect(one.after(other.position)).toBeUndefined();
});

test('keeps a thousand events', () => {
  const { log: events } = log();
  const begin = events.position;
  for (let nth = 0; nth < 1_000; nth++) events.add('job', 'a');
  expect(events.after(begin)).toHaveLength(1_000);
  events.add('job', 'a');
  expect(events.after(begin)).toBeUndefined();
});

test('keeps a million characters', () => {
  const { log: events } = log();
  const begin = events.position;
  events.add('job', 'a'.repeat(400_000));
  events.add('job', 'a'.repeat(400_000));
  expect(events.after(begin)).toHaveLength(2);
  events.add('job', 'a'.repeat(400_000));
  expect(events.after(begin)).toBeUndefined();
});

test('keeps events for two minutes', () => {
  const { log: events, scheduler } = log();
  const begin = events.position;
  events.add('job', 'a');
  pass(scheduler, 119_999);
  expect(events.after(begin)).toHaveLength(1);
  pass(scheduler, 1);
  expect(events.after(begin)).toBeUndefined();
  expect(events.after(events.position)).toEqual([]);
});
