import { firstValueFrom } from 'rxjs';
import { eventually, type Eventually } from '../eventually.js';
import type { WebhookStore } from './WebhookStore.js';

/** How long keys are remembered, in milliseconds: a job lives for 7 days at most, and its webhook may come after that. */
const KEEP_FOR = 8 * 86_400_000;

/**
 * What a job is to a key.
 *
 * - `told`: the caller has said that the key became this job.
 * - `claimed`: a webhook of this key was the first to say so, and nothing speaks against it.
 * - `other`: the key became another job, or the job belongs to another key, as far as is known.
 */
export type Standing = 'told' | 'claimed' | 'other';

/**
 * Which key became which job, as the caller has said, and as webhooks claim. The two are apart: whoever has seen the URL
 * of a webhook can claim, so a claim proves nothing. A key claims one job, and a job is claimed by one key: the first.
 */
export class WebhookBindings {
  readonly #store: WebhookStore;

  constructor(store: WebhookStore) {
    this.#store = store;
  }

  /** The caller says that a key became a job. That counts more than any claim, and than what was said before. */
  async tell(key: string, id: string): Promise<void> {
    await this.#set(`job:${key}`, id);
    await this.#set(`key:${id}`, key);
  }

  /** The job that a key has become, as far as is known: what the caller has said, or else what a webhook claims. */
  async jobOf(key: string): Promise<string | undefined> {
    return (await this.#get(`job:${key}`)) ?? (await this.#claimOf(key));
  }

  /** The claim of a key, where it was taken in whole. */
  async #claimOf(key: string): Promise<string | undefined> {
    const id = await this.#get(`claim:${key}`);
    if (id === undefined) return undefined;
    // A job is one key's: of which it was said, or else the first that has claimed it.
    const holder = (await this.#get(`key:${id}`)) ?? (await this.#get(`claimer:${id}`));
    return holder === key ? id : undefined;
  }

  /** A webhook of a key names a job. */
  async claim(key: string, id: string): Promise<{ readonly standing: Standing; readonly isFirst: boolean }> {
    const other = { standing: 'other', isFirst: false } as const;
    const toldId = await this.#get(`job:${key}`);
    if (toldId !== undefined && toldId !== id) return other;
    const toldKey = await this.#get(`key:${id}`);
    if (toldKey !== undefined && toldKey !== key) return other;
    const isTold = toldId === id;
    if (!isTold) {
      // Asked before anything is written: a claim that is refused must not keep the key from its own job.
      const claimer = await this.#get(`claimer:${id}`);
      if (claimer !== undefined && claimer !== key) return other;
    }
    const claimed = await this.#add(`claim:${key}`, id);
    if (isTold) return { standing: 'told', isFirst: claimed === undefined };
    if (claimed !== undefined && claimed !== id) return other;
    const claimer = await this.#add(`claimer:${id}`, key);
    if (claimer !== undefined && claimer !== key) return other;
    // By what is written last: a claim that the store has taken in part counts as none, and comes again.
    return { standing: 'claimed', isFirst: claimer === undefined };
  }

  #get(name: string): Promise<string | undefined> {
    return valueOf(() => this.#store.get(name));
  }

  async #set(name: string, value: string): Promise<void> {
    await firstValueFrom(eventually(() => this.#store.set(name, value, KEEP_FOR)));
  }

  #add(name: string, value: string): Promise<string | undefined> {
    return valueOf(() => this.#store.add(name, value, KEEP_FOR));
  }
}

async function valueOf(call: () => Eventually<unknown>): Promise<string | undefined> {
  const value = (await firstValueFrom(eventually(call))) ?? undefined;
  if (value !== undefined && typeof value !== 'string') throw new TypeError('the store gave a value that is no text');
  return value;
}
