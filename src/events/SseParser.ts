/** How many characters of one event are kept: a server that sends more is none. */
const MAX_EVENT = 4_000_000;

/** A server-sent event. */
export interface SseEvent {
  readonly type: string;
  readonly data: string;
  /** Where to go on after a break. */
  readonly position: string | undefined;
}

/** Reads server-sent events, as the HTML standard says, in time linear to their size. */
export class SseParser {
  #rest = '';
  #endedByReturn = false;
  #type = '';
  #data = '';
  #id: string | undefined;

  /** The events that end in a further part of the text. Throws where one is too large. */
  push(text: string): readonly SseEvent[] {
    if (!text) return [];
    // A line may end by two characters, which come apart.
    const part = this.#endedByReturn && text.startsWith('\n') ? text.slice(1) : text;
    this.#endedByReturn = text.endsWith('\r');
    const [first = '', ...others] = part.split(/\r\n|\r|\n/);
    const lines = [this.#rest + first, ...others];
    this.#rest = lines.pop() ?? '';
    const events = lines.flatMap((line) => this.#line(line));
    if (this.#rest.length + this.#data.length > MAX_EVENT) throw new RangeError('an event is too large');
    return events;
  }

  #line(line: string): readonly SseEvent[] {
    if (!line) return this.#end();
    const [, name, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (name === 'data') this.#data += `${value}\n`;
    else if (name === 'event') this.#type = value;
    else if (name === 'id' && !value.includes('\0')) this.#id = value;
    return [];
  }

  #end(): readonly SseEvent[] {
    const event = { type: this.#type || 'message', data: this.#data.slice(0, -1), position: this.#id };
    const isEmpty = !this.#data;
    this.#type = '';
    this.#data = '';
    return isEmpty ? [] : [event];
  }
}
