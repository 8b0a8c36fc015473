import { ChangeDetectionStrategy, Component } from '@angular/core';
import { RouterLink, RouterLinkActive, RouterOutlet } from '@angular/router';

@Component({
  selector: 'app-root',
  changeDetection: ChangeDetectionStrategy.OnPush,
  imports: [RouterLink, RouterLinkActive, RouterOutlet],
  template: `
    <header>
      <a class="brand" routerLink="/"><span class="mark" aria-hidden="true">▲</span> Atelier</a>
      <nav aria-label="Pages">
        <a routerLink="/story" routerLinkActive="active" ariaCurrentWhenActive="page">Story</a>
        <a routerLink="/gallery" routerLinkActive="active" ariaCurrentWhenActive="page">Gallery</a>
        <a routerLink="/renders" routerLinkActive="active" ariaCurrentWhenActive="page">Renders</a>
      </nav>
    </header>
    <main><router-outlet /></main>
  `,
})
export class App {}
