import { filter, fromEvent, map, merge, type Observable, tap } from 'rxjs';
import { element, first } from './dom.js';

/** Tabs, of which one is chosen: by a click, or by the arrow keys, Home and End. */
export class Tabs<Name extends string> {
  readonly list: HTMLElement;
  /** Where the chosen tab's content goes. */
  readonly panel: HTMLElement;
  /** Emits each tab that the user chooses. Choosing works while this is subscribed to. */
  readonly chosen$: Observable<Name>;
  #chosen: Name;
  readonly #names: readonly Name[];

  constructor(names: readonly [Name, ...Name[]], label: string) {
    this.#names = names;
    this.#chosen = names[0];
    const tabs = names.map((name) =>
      element('button', { type: 'button', role: 'tab', id: `tab-${name}`, 'aria-controls': 'tab-panel' }, name),
    );
    this.list = element('div', { role: 'tablist', 'aria-label': label }, ...tabs);
    this.panel = element('div', { role: 'tabpanel', id: 'tab-panel', tabindex: '0' });
    this.chosen$ = merge(this.#clicks(), this.#keys()).pipe(tap((name) => this.choose(name)));
    this.choose(names[0]);
  }

  get chosen(): Name {
    return this.#chosen;
  }

  choose(name: Name): void {
    this.#chosen = name;
    for (const tab of Array.from(this.list.children)) {
      const isChosen = tab.id === `tab-${name}`;
      tab.setAttribute('aria-selected', String(isChosen));
      tab.setAttribute('tabindex', isChosen ? '0' : '-1');
    }
    this.panel.setAttribute('aria-labelledby', `tab-${name}`);
  }

  #clicks(): Observable<Name> {
    return fromEvent(this.list, 'click').pipe(
      map(({ target }) => this.#names.find((name) => (target as Element).id === `tab-${name}`)),
      filter((name) => name !== undefined),
    );
  }

  #keys(): Observable<Name> {
    return fromEvent<KeyboardEvent>(this.list, 'keydown').pipe(
      map(({ key }) => this.#reachedBy(key)),
      filter((name) => name !== undefined),
      tap((name) => first(this.list, `#tab-${name}`).focus()),
    );
  }

  #reachedBy(key: string): Name | undefined {
    const at = this.#names.indexOf(this.#chosen);
    switch (key) {
      case 'ArrowRight':
        return this.#names[at + 1] ?? this.#names[0];
      case 'ArrowLeft':
        return this.#names.at(at - 1);
      case 'Home':
        return this.#names[0];
      case 'End':
        return this.#names.at(-1);
      default:
        return undefined;
    }
  }
}
