import { ApplicationRef, Component, NgZone, inject } from '@angular/core';
import { RouterLink, RouterOutlet } from '@angular/router';

@Component({
  selector: 'app-root',
  imports: [RouterLink, RouterOutlet],
  template: `
    <a id="home" routerLink="/">Home</a>
    <main><router-outlet /></main>
  `,
})
export class App {
  constructor() {
    const application = inject(ApplicationRef);
    const zone = inject(NgZone);
    let ticks = 0;
    const tick = application.tick.bind(application);
    application.tick = () => {
      ticks++;
      tick();
    };
    Object.assign(globalThis, {
      fixture: {
        destroy: () => zone.run(() => application.destroy()),
        whenStable: () => application.whenStable(),
        ticks: () => ticks,
      },
    });
  }
}
