import type { Routes } from '@angular/router';

export const routes: Routes = [
  { path: '', pathMatch: 'full', redirectTo: 'story' },
  { path: 'story', title: 'Story · Atelier', loadComponent: async () => (await import('./story')).Story },
  { path: 'gallery', title: 'Gallery · Atelier', loadComponent: async () => (await import('./gallery')).Gallery },
  { path: 'renders', title: 'Renders · Atelier', loadComponent: async () => (await import('./renders')).Renders },
  { path: '**', redirectTo: 'story' },
];
