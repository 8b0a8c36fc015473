import { EMPTY, catchError, concat, defer, filter, fromEvent, map, merge, mergeMap, tap, type Observable } from 'rxjs';
import { faultKinds, faultNames } from '../emulator/faults/faultKinds.js';
import type { ActiveFault } from '../emulator/index.js';
import { byId, element, setText } from './dom.js';
import { FAULT_GROUPS } from './faultTexts.js';
import { FaultForm } from './FaultForm.js';
import { addFault, clearFaults, removeFault } from './faultRoutes.js';
import { count } from './format.js';
import type { Page } from './Page.js';

/** The active faults, and a switch for each fault that there is. */
export function faultsPanel({ feed$ }: Page): Observable<unknown> {
  const forms = new Map(faultNames.map((name) => [name, new FaultForm(name)]));
  byId('faults').replaceChildren(
    ...FAULT_GROUPS.map(([title, kinds]) => {
      const members = faultNames.filter((name) => kinds.includes(faultKinds[name]));
      const rows = members.flatMap((name) => forms.get(name)?.element ?? []);
      return element('div', { class: 'group' }, element('h3', {}, title), ...rows);
    }),
  );
  let active: readonly ActiveFault[] = [];
  const shown$ = feed$.pipe(
    map(({ state }) => state?.faults),
    filter((faults) => faults !== undefined),
    tap((faults) => {
      active = faults;
      showActive(faults);
      for (const [name, form] of forms) form.isOn = faults.some(({ rule }) => rule.fault === name);
    }),
  );
  const removeAll = (name: string) =>
    merge(...active.filter(({ rule }) => rule.fault === name).map(({ id }) => removeFault(id)));
  const switches$ = merge(
    ...[...forms].flatMap(([name, form]) => [
      doing(form.toggle, () => (form.isOn ? removeAll(name) : addFault(form.rule()))),
      doing(form.apply, () => {
        const rule = form.rule();
        return concat(removeAll(name), addFault(rule));
      }),
    ]),
  );
  const removals$ = fromEvent(byId('active-faults'), 'click').pipe(
    map(({ target }) => (target as HTMLElement).dataset.remove),
    filter((id) => id !== undefined),
    mergeMap((id) => told(removeFault(Number(id)))),
  );
  return merge(shown$, switches$, removals$, doing(byId('clear-faults'), clearFaults));
}

/** Does something at each click. */
function doing(button: HTMLElement, act: () => Observable<unknown>): Observable<unknown> {
  return fromEvent(button, 'click').pipe(mergeMap(() => told(defer(act))));
}

/** Shows why something could not be done. */
function told(act$: Observable<unknown>): Observable<unknown> {
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
