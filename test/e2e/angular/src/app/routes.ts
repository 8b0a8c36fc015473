import type { Routes } from '@angular/router';

export const routes: Routes = [
  { path: '', pathMatch: 'full', loadComponent: async () => (await import('./home')).Home },
  { path: 'typing', loadComponent: async () => (await import('./pages')).Typing },
  { path: 'auto', loadComponent: async () => (await import('./pages')).Auto },
  { path: 'run', loadComponent: async () => (await import('./pages')).Run },
  { path: 'run-slow', loadComponent: async () => (await import('./pages')).RunSlow },
  { path: 'slow', loadComponent: async () => (await import('./pages')).Slow },
  { path: 'story', loadComponent: async () => (await import('./pages')).Story },
  { path: 'equal', loadComponent: async () => (await import('./pages')).Equal },
  { path: 'raw', loadComponent: async () => (await import('./pages')).Raw },
  { path: 'prerendered', loadComponent: async () => (await import('./pages')).Run },
];
