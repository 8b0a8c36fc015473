// edge-runtime is told of requests as a service worker is.
import { answer } from './service.mjs';

globalThis.addEventListener('fetch', (event) => event.respondWith(answer(event.request)));
