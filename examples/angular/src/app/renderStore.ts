import { Injectable, effect, signal } from '@angular/core';
import type { JobRef } from 'runpod-rx';

/** A render that was ordered: its reference is all that a reload needs. */
export interface Order {
  readonly key: string;
  readonly title: string;
  readonly kind: 'film' | 'poster' | 'broken';
  readonly ref?: JobRef;
}

const KEY = 'atelier.renders';

/** The list of renders, in the browser's storage. */
@Injectable({ providedIn: 'root' })
export class RenderStore {
  readonly orders = signal<readonly Order[]>(stored());

  constructor() {
    effect(() => localStorage.setItem(KEY, JSON.stringify(this.orders())));
  }

  add(title: string, kind: Order['kind']): void {
    this.orders.update((all) => [{ key: crypto.randomUUID(), title, kind }, ...all]);
  }

  submitted(key: string, ref: JobRef): void {
    this.orders.update((all) => all.map((order) => (order.key === key ? { ...order, ref } : order)));
  }

  remove(key: string): void {
    this.orders.update((all) => all.filter((order) => order.key !== key));
  }
}

function stored(): readonly Order[] {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '[]') as readonly Order[];
  } catch {
    return [];
  }
}
