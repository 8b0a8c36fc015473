import {
  EMPTY,
  catchError,
  concat,
  defer,
  filter,
  fromEvent,
  map,
  merge,
  mergeMap,
  takeLast,
  tap,
  type Observable,
} from 'rxjs';
import { faultKinds, faultNames } from '../emulator/faults/faultKinds.js';
import type { ActiveFault, FaultName } from '../emulator/index.js';
import { byId, element, setText } from './dom.js';
import { FAULT_GROUPS } from './faultTexts.js';
import { FaultForm } from './FaultForm.js';
import { addFault, clearFaults, removeFault, removeFaults, type ActiveFaults } from './faultRoutes.js';
import { count } from './format.js';
import type { Page } from './Page.js';

/** The active faults, and a switch for each fault that there is. */
export function faultsPanel({ feed$ }: Page): Observable<unknown> {
  const forms = new Map(faultNames.map((name) => [name, new FaultForm(name)]));
  byId('faults').replaceChildren(...FAULT_GROUPS.map((group) => groupOf(group, forms)));

  const told$ = feed$.pipe(
    map(({ state }) => state?.faults),
    filter((faults) => faults !== undefined),
  );
  const switches = [...forms].flatMap(([name, form]) => [
    doing(form.toggle, () => (form.isOn ? removeFaults(name) : addFault(form.rule()))),
    doing(form.apply, () => {
      const rule = form.rule();
      return concat(removeFaults(name), addFault(rule)).pipe(takeLast(1));
    }),
  ]);
  const removals$ = fromEvent(byId('active-faults'), 'click').pipe(
    map(({ target }) => (target as HTMLElement).dataset.remove),
    filter((id) => id !== undefined),
    mergeMap((id) => sayingWhyNot(removeFault(Number(id)))),
  );
  return merge(told$, ...switches, removals$, doing(byId('clear-faults'), clearFaults)).pipe(
    tap((faults) => {
      showActive(faults);
      for (const [name, form] of forms) form.isOn = faults.some(({ rule }) => rule.fault === name);
    }),
  );
}

function groupOf([title, kinds]: (typeof FAULT_GROUPS)[number], forms: ReadonlyMap<FaultName, FaultForm>): HTMLElement {
  const members = faultNames.filter((name) => kinds.includes(faultKinds[name]));
  const rows = members.flatMap((name) => forms.get(name)?.element ?? []);
  return element('div', { class: 'group' }, element('h3', {}, title), ...rows);
}

/** Does something at each click. */
function doing(button: HTMLElement, act: () => Observable<ActiveFaults>): Observable<ActiveFaults> {
  return fromEvent(button, 'click').pipe(mergeMap(() => sayingWhyNot(defer(act))));
}

/** Shows why something could not be done. */
function sayingWhyNot(act$: Observable<ActiveFaults>): Observable<ActiveFaults> {
  const problem = byId('fault-problem');
  setText(problem, '');
  return act$.pipe(
    catchError((error: unknown) => {
      setText(problem, error instanceof Error ? error.message : String(error));
      return EMPTY;
    }),
  );
}

function showActive(faults: readonly ActiveFault[]): void {
  byId('clear-faults').hidden = faults.length === 0;
  const list = byId('active-faults');
  const focused = (document.activeElement as HTMLElement | null)?.dataset.remove;
  list.replaceChildren(...faults.map(lineOf));
  if (focused !== undefined) list.querySelector<HTMLElement>(`[data-remove="${focused}"]`)?.focus();
}

function lineOf({ id, rule, seen, struck }: ActiveFault): HTMLElement {
  const { fault, ...members } = rule;
  const how = Object.entries(members).map(
    ([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const met = faultKinds[fault] === 'workers' ? [] : [`struck ${count(struck)} of ${count(seen)}`];
  return element(
    'li',
    {},
    element('span', {}, element('strong', { class: 'mono' }, fault), ` ${[...how, ...met].join(', ')}`),
    element(
      'button',
      { type: 'button', class: 'quiet', 'data-remove': String(id), 'aria-label': `Remove ${fault}` },
      'Remove',
    ),
  );
}
