import { NEVER, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { ItemQueue } from '../../src/pipelines/ItemQueue.js';
import { PipelineTask } from '../../src/pipelines/PipelineTask.js';
import { letters, type Letter } from './letters.js';

const host = {
  scheduler: new VirtualTimeScheduler(),
  closed: false,
  taskCompleted: () => undefined,
  taskFailed: () => undefined,
};

function task(index: number, finished = true): PipelineTask<Letter, string> {
  const made = new PipelineTask<Letter, string>(host, index, letters('a')[0]!, () => NEVER);
  if (finished) made.item = made.failedItem('failed');
  return made;
}

function queueOf(...tasks: PipelineTask<Letter, string>[]): ItemQueue<Letter, string> {
  const queue = new ItemQueue<Letter, string>();
  for (const each of tasks) queue.append(each);
  return queue;
}

const indexes = (queue: ItemQueue<Letter, string>) => [1, 2, 3, 4].map(() => queue.shift()?.index);

describe('ItemQueue', () => {
  it('gives the items of its tasks in order, then nothing', () => {
    expect(indexes(queueOf(task(0), task(1), task(2)))).toEqual([0, 1, 2, undefined]);
  });

  it('takes tasks again after it was emptied', () => {
    const queue = queueOf(task(0));
    expect(indexes(queue)[0]).toBe(0);
    queue.append(task(1));
    queue.append(task(2));
    expect(indexes(queue)).toEqual([1, 2, undefined, undefined]);
  });

  it('takes tasks again after some were removed', () => {
    const queue = queueOf(task(0), task(1));
    queue.shift();
    queue.append(task(2));
    expect(indexes(queue)).toEqual([1, 2, undefined, undefined]);
  });

  it('waits for the first task, however many later ones have finished', () => {
    const first = task(0, false);
    const queue = queueOf(first, task(1));
    expect(queue.shift()).toBeUndefined();
    first.item = first.failedItem('failed');
    expect(indexes(queue)).toEqual([0, 1, undefined, undefined]);
  });

  it('skips unfinished tasks at its front only', () => {
    const queue = queueOf(task(0, false), task(1, false), task(2), task(3, false));
    queue.skipUnfinished();
    expect(indexes(queue)).toEqual([2, undefined, undefined, undefined]);
    queue.skipUnfinished();
    queue.append(task(4));
    expect(indexes(queue)[0]).toBe(4);
  });

  it('links no removed task to later ones, which it would keep in memory', () => {
    const first = task(0);
    const queue = queueOf(first, task(1));
    queue.shift();
    expect(first.nextTask).toBeUndefined();
  });

  it('is empty after clear', () => {
    const queue = queueOf(task(0), task(1));
    queue.clear();
    expect(queue.shift()).toBeUndefined();
    queue.append(task(2));
    expect(indexes(queue)[0]).toBe(2);
  });
});
