import { NEVER } from 'rxjs';
import type { Link } from '../index.js';

/** In a job's `context`: it may be submitted by a server that renders the page. */
export const SERVER_JOB = 'runpod-rx/angular: server job';

/**
 * Sends no submission while a page is rendered on a server, unless the job is marked with {@link SERVER_JOB}. The submission
 * stays unanswered: the server renders what the application shows while it waits, and the browser submits.
 */
export const withholdSubmissions: Link = (request, next) =>
  request.kind === 'submission' && request.context[SERVER_JOB] !== true ? NEVER : next(request);

/** Sends no submission at all: for pages that are rendered when the application is built. */
export const withholdAllSubmissions: Link = (request, next) => (request.kind === 'submission' ? NEVER : next(request));
