import { provideHttpClient, withInterceptors, type HttpInterceptorFn } from '@angular/common/http';
import type { ApplicationConfig } from '@angular/core';
import { provideClientHydration } from '@angular/platform-browser';
import { provideRouter } from '@angular/router';
import { provideChangeDetection } from './changeDetection';
import { routes } from './routes';
import { runpodProviders } from './runpodProviders';

const tenant: HttpInterceptorFn = (request, next) => next(request.clone({ setHeaders: { 'X-Tenant': 'acme' } }));

export const config: ApplicationConfig = {
  providers: [
    provideChangeDetection(),
    provideHttpClient(withInterceptors([tenant])),
    provideClientHydration(),
    provideRouter(routes),
    ...runpodProviders,
  ],
};
