import { faultKinds } from '../emulator/faults/faultKinds.js';
import type { FaultName } from '../emulator/index.js';
import { element } from './dom.js';
import { FAULT_TEXTS, MEMBERS, membersOf, type MemberKind, type MemberName } from './faultTexts.js';

/** One fault of the list: its switch, and the members of its rule. */
export class FaultForm {
  readonly element: HTMLElement;
  readonly toggle: HTMLButtonElement;
  /** Puts a rule with the members of the form in the place of the fault's rules. */
  readonly apply = element('button', { type: 'button' }, 'Apply');
  readonly #name: FaultName;
  readonly #fields: ReadonlyMap<MemberName, HTMLInputElement>;

  constructor(name: FaultName) {
    this.#name = name;
    const id = `fault-${name}`;
    this.toggle = element('button', { type: 'button', role: 'switch', 'aria-checked': 'false', 'aria-labelledby': id });
    const members = membersOf(name, faultKinds[name]);
    this.#fields = new Map(members.map((member) => [member, fieldOf(member)]));
    const labels = members.map((member) => element('label', {}, member, this.#fields.get(member) ?? ''));
    this.element = element(
      'div',
      { class: 'fault' },
      this.toggle,
      element(
        'div',
        {},
        element('span', { id, class: 'mono' }, name),
        element('p', { class: 'does' }, FAULT_TEXTS[name]),
      ),
      element(
        'details',
        {},
        element('summary', {}, 'Members', element('span', { class: 'unseen' }, ` of ${name}`)),
        element('div', { class: 'members' }, ...labels),
        this.apply,
      ),
    );
  }

  get isOn(): boolean {
    return this.toggle.getAttribute('aria-checked') === 'true';
  }

  set isOn(value: boolean) {
    this.toggle.setAttribute('aria-checked', String(value));
  }

  /** The rule that the form says. Throws where a member is no JSON; the emulator checks everything else. */
  rule(): Readonly<Record<string, unknown>> {
    const given = [...this.#fields].flatMap(([member, field]) => {
      const [kind] = MEMBERS[member];
      const isGiven = kind === 'flag' ? field.checked : field.value.trim() !== '';
      return isGiven ? [[member, valueOf(member, kind, field)] as const] : [];
    });
    return { fault: this.#name, ...Object.fromEntries(given) };
  }
}

function fieldOf(member: MemberName): HTMLInputElement {
  const [kind, hint] = MEMBERS[member];
  if (kind === 'flag') return element('input', { type: 'checkbox', title: hint });
  return element('input', { placeholder: hint, autocomplete: 'off', spellcheck: 'false' });
}

function valueOf(member: MemberName, kind: MemberKind, { value, checked }: HTMLInputElement): unknown {
  const text = value.trim();
  switch (kind) {
    case 'flag':
      return checked;
    case 'number':
      return Number(text);
    case 'numbers':
      return text.split(/[\s,]+/).map(Number);
    case 'names':
      return text.split(/[\s,]+/);
    case 'json':
      try {
        return JSON.parse(text);
      } catch (error) {
        throw new Error(`${member}: ${(error as Error).message}`, { cause: error });
      }
    case 'text':
      return text;
  }
}
