/** Attributes of an element: a text, or whether it is there. */
export type Attributes = Readonly<Record<string, string | boolean>>;

/** Makes an element. Texts among the children stay texts, whatever they hold. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false) made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children);
  return made;
}

/** The element of the page with an id. */
export function byId(id: string): HTMLElement {
  return found(document.getElementById(id), id);
}

/** The first element in `within` that a selector fits. */
export function first<E extends Element = HTMLElement>(within: ParentNode, selector: string): E {
  return found(within.querySelector<E>(selector), selector);
}

function found<T>(value: T | null, name: string): T {
  if (value === null) throw new Error(`the page has no ${name}`);
  return value;
}

/** Replaces an element's text, if it is another. */
export function setText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

/** Puts children into an order, and removes all others. Children that are in their place already are not touched. */
export function arrange(parent: Element, children: readonly Element[]): void {
  let next = parent.firstElementChild;
  for (const child of children) {
    if (child === next) next = next.nextElementSibling;
    else parent.insertBefore(child, next);
  }
  while (next) {
    const surplus = next;
    next = next.nextElementSibling;
    surplus.remove();
  }
}

/** Replaces the options of a list, if they are others, and keeps what is chosen. */
export function setOptions(
  list: HTMLSelectElement,
  options: readonly (readonly [value: string, text: string])[],
): void {
  const before = Array.from(list.options, ({ value }) => value);
  if (before.join('\n') === options.map(([value]) => value).join('\n')) return;
  const chosen = list.value;
  list.replaceChildren(...options.map(([value, text]) => element('option', { value }, text)));
  if (options.some(([value]) => value === chosen)) list.value = chosen;
}
