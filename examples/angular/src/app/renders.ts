import { ChangeDetectionStrategy, Component, inject } from '@angular/core';
import { RenderRow } from './renderRow';
import { RenderStore } from './renderStore';

/** Renders that take a while. They run on when the page is closed, and are still here after a reload. */
@Component({
  selector: 'app-renders',
  changeDetection: ChangeDetectionStrategy.OnPush,
  imports: [RenderRow],
  template: `
    <section class="bar heading">
      <div>
        <h1>Renders</h1>
        <p class="muted">They run on when you close this page. Reload it: they are still here.</p>
      </div>
      <span class="grow"></span>
      <button type="button" (click)="store.add('Poster', 'poster')">New poster</button>
      <button type="button" (click)="store.add('A film that fails', 'broken')">One that fails</button>
      <button type="button" class="primary" (click)="store.add('Short film', 'film')">New film</button>
    </section>
    <div class="list" role="list">
      @for (order of store.orders(); track order.key) {
        <app-render-row role="listitem" [order]="order" />
      } @empty {
        <div class="card empty">
          <p><strong>Nothing is being rendered.</strong></p>
          <p class="muted">Order a film: one worker renders one at a time, so a second one says why it waits.</p>
        </div>
      }
    </div>
  `,
})
export class Renders {
  readonly store = inject(RenderStore);
}
