import { must, type Issue } from './checks.js';
import { isPlain } from './json.js';

/** How deep values may be nested: workers read their input with Python's `json`, which gives up at about a thousand. */
const MAX_DEPTH = 500;

/** A value that cannot be sent: what it is, what to send instead, and the names on the way to it. */
interface Refusal {
  readonly given: string;
  readonly instead: string;
  readonly path: (string | number)[];
  /** How many of these names lead to the place that is worth naming. */
  readonly pathLength?: number;
}

/** What is known while values are looked at. */
interface Walk {
  /** The objects and arrays that hold the value that is looked at, outermost first. */
  readonly holders: object[];
  /** How many more values there may be. */
  valuesLeft: number;
}

/**
 * Checks that JSON can carry a value as it is, and names the first place where it cannot: what `JSON.stringify` would lose,
 * change or fail at. Members that are `undefined` are left out, as `JSON.stringify` does; an object with a method `toJSON`
 * says itself what is sent for it.
 *
 * Bounded in depth, where `JSON.stringify` would overflow the stack, and in time.
 *
 * @param maxValues - how many values there may be; an object in several places counts in each
 */
export function checkJson(field: string, root: unknown, maxValues: number): Issue[] {
  const walk: Walk = { holders: [], valuesLeft: maxValues };
  const refusal = refusalAt([root], 0, walk);
  if (walk.valuesLeft < 0) return must(false, field, `more than ${maxValues} values`, 'be smaller');
  if (!refusal) return [];
  const { path, pathLength, given, instead } = refusal;
  return [
    {
      field: pathText(field, path.slice(1, pathLength && pathLength + 1)),
      given,
      rule: `must be what JSON can carry: ${instead}`,
    },
  ];
}

function refusalOf(value: unknown, walk: Walk): Refusal | undefined {
  walk.valuesLeft--;
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return undefined;
    case 'number':
      return Number.isFinite(value) ? undefined : refuse(String(value), 'send a finite number, or null');
    case 'undefined':
      return refuse('undefined', 'send null');
    case 'object':
      return value === null ? undefined : refusalOfObject(value, walk);
    default:
      // TypeScript does not narrow `unknown` by what the other cases left over.
      return refusalOfObject(value as bigint | symbol | (() => unknown), walk);
  }
}

/** The same for an object, and for what may have a method `toJSON` besides: a bigint, a symbol, a function. */
function refusalOfObject(value: object | bigint | symbol, walk: Walk): Refusal | undefined {
  // Checked before `toJSON` is called: a Buffer has a `toJSON`, which makes a list of numbers of the bytes.
  if (ArrayBuffer.isView(value)) return refuse(nameOf(value), BYTES);
  const { toJSON } = value as { readonly toJSON?: () => unknown };
  if (typeof toJSON === 'function') {
    const json = toJSON.call(value);
    if (json === null && tagOf(value) === 'Date') return refuse('an invalid Date', 'send a valid one, or null');
    return typeof json === 'object' && json !== null ? refusalWithin(json, walk) : refusalOf(json, walk);
  }
  if (typeof value === 'object') return refusalOfKind(value) ?? refusalWithin(value, walk);
  return refuse(`a ${typeof value}`, 'send text, or leave it out');
}

/** Refuses what JSON makes `{}` or something else of: all but arrays, plain objects, and instances of classes with members. */
function refusalOfKind(value: object): Refusal | undefined {
  if (Array.isArray(value) || isPlain(value)) return undefined;
  const tag = tagOf(value);
  if (tag !== 'Object') return refuse(nameOf(value), INSTEAD[tag] ?? PLAIN);
  // Its methods are not listed, but for those of prototypes that are written by hand.
  for (const name in value)
    if (!Object.hasOwn(value, name) && typeof (value as Record<string, unknown>)[name] !== 'function')
      return refuse(`${nameOf(value)} that inherits ${name.slice(0, 40)}`, 'copy it into an object of its own');
  if (Object.keys(value).length > 0) return undefined;
  return refuse(`${nameOf(value)} without members of its own`, PLAIN);
}

function refusalWithin(holder: object, walk: Walk): Refusal | undefined {
  const { holders } = walk;
  if (holders.length >= MAX_DEPTH) return tooDeep(holder, holders);
  holders.push(holder);
  const refusal = Array.isArray(holder) ? refusalInArray(holder, walk) : refusalInObject(holder, walk);
  holders.pop();
  return refusal;
}

function refusalInArray(array: readonly unknown[], walk: Walk): Refusal | undefined {
  for (let index = 0; index < array.length && walk.valuesLeft >= 0; index++) {
    const refusal = refusalAt(array, index, walk);
    if (refusal) return refusal;
  }
  return undefined;
}

function refusalInObject(object: object, walk: Walk): Refusal | undefined {
  const symbols = Object.getOwnPropertySymbols(object);
  if (symbols.some((symbol) => Object.prototype.propertyIsEnumerable.call(object, symbol)))
    return refuse('an object with a symbol for a name', 'use text for the name');
  for (const name of Object.keys(object)) {
    const refusal = walk.valuesLeft < 0 ? undefined : refusalAt(object, name, walk);
    if (refusal) return refusal;
  }
  return undefined;
}

/** The refusal of a member. A getter, a proxy or a `toJSON` may throw. */
function refusalAt(holder: object, key: string | number, walk: Walk): Refusal | undefined {
  let refusal: Refusal | undefined;
  try {
    const value = (holder as Record<string | number, unknown>)[key];
    if (value !== undefined || typeof key === 'number') refusal = refusalOf(value, walk);
  } catch (error) {
    refusal = refuse(`an error (${String(error).slice(0, 80)})`, 'reading it must not throw');
  }
  refusal?.path.unshift(key);
  return refusal;
}

/** The refusal of an object that as many others hold as may. It may be among them. */
function tooDeep(holder: object, holders: readonly object[]): Refusal {
  const first = holders.indexOf(holder);
  if (first < 0) return refuse(`nested in ${MAX_DEPTH} others`, 'nest it less deep');
  const again = holders.indexOf(holder, first + 1);
  const round = (again < 0 ? holders.length : again) - first;
  const start = holders.findIndex((earlier, index) => earlier === holders[index + round]);
  return { ...refuse('an object within itself', 'send a tree'), pathLength: (start < 0 ? first : start) + round };
}

const BYTES = 'send bytes as base64 text, or the URL of a file';
const ENTRIES = 'send a plain object, or an array';
const PLAIN = 'send a plain object, or give it a method toJSON';

/** What to send instead of some objects, by the name that JavaScript has for their kind. */
const INSTEAD: Readonly<Record<string, string | undefined>> = {
  ArrayBuffer: BYTES,
  SharedArrayBuffer: BYTES,
  Blob: BYTES,
  File: BYTES,
  Map: ENTRIES,
  Set: ENTRIES,
  Promise: 'wait for its value first',
};

function refuse(given: string, instead: string): Refusal {
  return { given, instead, path: [] };
}

/** The kind of an object, such as `Map`, also where it comes from another realm. */
function tagOf(value: object | bigint | symbol): string {
  return Object.prototype.toString.call(value).slice('[object '.length, -1);
}

/** The class of an object, with its article. */
function nameOf(value: object): string {
  const { constructor } = value as { readonly constructor?: { readonly name?: unknown } };
  const given = constructor?.name;
  const name = typeof given === 'string' && given ? given.slice(0, 40) : tagOf(value);
  return `${/^[AEIO]/.test(name) ? 'an' : 'a'} ${name}`;
}

/** A place in a value, such as `input.images[2].data`. */
function pathText(field: string, path: readonly (string | number)[]): string {
  const text = path.reduce<string>((before, key) => {
    if (typeof key === 'number') return `${before}[${key}]`;
    return /^[\w$]+$/.test(key) ? `${before}.${key}` : `${before}[${JSON.stringify(key)}]`;
  }, field);
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}
