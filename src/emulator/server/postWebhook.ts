import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { Observable } from 'rxjs';
import type { WebhookSender } from '../index.js';

/** Posts a webhook over HTTP, on a connection of its own. */
export const postWebhook: WebhookSender = ({ url, headers, body }) =>
  new Observable<number>((subscriber) => {
    const send = url.startsWith('https:') ? requestHttps : requestHttp;
    const length = String(Buffer.byteLength(body));
    const request = send(url, { method: 'POST', agent: false, headers: { ...headers, 'content-length': length } });
    request.on('error', (error) => subscriber.error(error));
    request.on('response', (response) => {
      const { statusCode = 0 } = response;
      response.on('error', (error) => subscriber.error(error));
      response.on('end', () => {
        subscriber.next(statusCode);
        subscriber.complete();
      });
      // Only the status counts; the body is read and thrown away.
      response.resume();
    });
    request.end(body);
    return () => request.destroy();
  });
