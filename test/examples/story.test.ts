// @vitest-environment jsdom
import { StrictMode, act, createElement } from 'react';
import { createRoot } from 'react-dom/client';
import { concatMap, from, map } from 'rxjs';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { Story, type StoryProps } from '../../examples/one-file/Story.js';
import { asked } from '../job/support.js';
import { world } from '../support/world.js';

beforeEach(() => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
});

/** The component on a page, with a RunPod in virtual time that streams a word each second. */
function open() {
  const made = world({
    endpoints: {
      demo: {
        stream: true,
        handler: ({ input }, { delay }) =>
          from(String(input.prompt).split(' ')).pipe(concatMap((text) => delay(1_000).pipe(map(() => ({ text }))))),
      },
    },
  });
  const page = document.createElement('div');
  document.body.append(page);
  const root = createRoot(page);
  const endpoint = made.endpoint as unknown as StoryProps['endpoint'];
  act(() => {
    root.render(createElement(StrictMode, null, createElement(Story, { endpoint })));
  });
  const close = () =>
    act(() => {
      root.unmount();
    });
  onTestFinished(() => {
    close();
    page.remove();
  });
  return {
    made,
    close,
    click: (name: string) =>
      act(() => {
        Array.from(page.querySelectorAll('button'))
          .find(({ textContent }) => textContent === name)!
          .click();
      }),
    pass: (ms: number) =>
      act(() => {
        made.until(made.scheduler.now() + ms);
      }),
    story: () => page.querySelectorAll('p')[0]!.textContent,
    status: () => page.querySelector('[role=status]')!.textContent,
  };
}

describe('the React component', () => {
  test('shows the words as they come, of one job, also in strict mode', () => {
    const { made, click, pass, story, status } = open();
    expect(asked(made)).toEqual({});
    click('Write');
    pass(2_500);
    expect(story()).toMatch(/^once/);
    pass(60_000);
    expect([story(), status()]).toEqual(['once upon a time', 'COMPLETED']);
    expect(made.emulator.jobs()).toMatchObject([{ status: 'COMPLETED' }]);
  });

  test.each(['Stop', 'unmount'])('cancels the job: %s', (way) => {
    const { made, click, close, pass } = open();
    click('Write');
    pass(2_500);
    if (way === 'Stop') click('Stop');
    else close();
    pass(60_000);
    expect(made.emulator.jobs()).toMatchObject([{ status: 'CANCELLED' }]);
  });

  test('shows an error', () => {
    const { made, click, pass, status } = open();
    made.emulator.inject({ fault: 'answer', on: 'run', status: 401, accepted: false });
    click('Write');
    pass(60_000);
    expect(status()).toContain('AuthenticationError');
  });
});
