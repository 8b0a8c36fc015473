import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { Subject, of } from 'rxjs';
import { isRunpodError, runEach, type Endpoint, type JobRequest } from 'runpod-rx';
import { InjectEndpoint, InjectWebhooks } from 'runpod-rx/nestjs';
import type { Webhooks } from 'runpod-rx/server';
import type { Input, Output } from './settings.js';

/** An order, and what became of it. */
export interface Order {
  readonly number: string;
  readonly state: 'waiting' | 'painted' | 'failed';
  readonly text?: string;
}

/** Paints orders, two at a time, in the order in which they came. */
@Injectable()
export class OrdersService implements OnModuleInit {
  readonly #orders = new Map<string, Order>();
  readonly #requests$ = new Subject<JobRequest<Input>>();
  /** The numbers of the orders, in the order in which they came. */
  readonly #numbers: string[] = [];

  constructor(
    @InjectEndpoint('painter') private readonly painter: Endpoint<Input, Output>,
    @InjectWebhooks() private readonly webhooks: Webhooks,
  ) {}

  onModuleInit(): void {
    // A pipeline's request has its number: by that, the webhook of its job is signed with the number of the order.
    const runner = (request: JobRequest<Input>, index: number) => {
      const number = this.#numbers[index] ?? '';
      const beforeSubmit = (made: JobRequest<Input>) => of(this.webhooks.sign(made, number));
      return this.painter.job(request, { tag: number, beforeSubmit }).state$;
    };
    this.#requests$.pipe(runEach(runner, { concurrency: 2, buffer: 1000, overflow: 'drop-newest' })).subscribe({
      next: (item) => {
        const number = this.#numbers[item.index] ?? '';
        this.#orders.set(
          number,
          item.ok ? { number, state: 'painted', text: item.output.text } : { number, state: 'failed' },
        );
      },
      // When the application ends, the module closes the client, and the pipeline with it.
      error: (error) => {
        if (!isRunpodError(error, 'client_closed')) Logger.error(error, 'OrdersService');
      },
    });
  }

  /** Takes an order. The same number again is the same order: it is painted, and paid for, once. */
  place(number: string, prompt: string): Order {
    const known = this.#orders.get(number);
    if (known) return known;
    const order: Order = { number, state: 'waiting' };
    this.#orders.set(number, order);
    this.#numbers.push(number);
    this.#requests$.next({ input: { prompt } });
    return order;
  }

  get(number: string): Order | undefined {
    return this.#orders.get(number);
  }
}
