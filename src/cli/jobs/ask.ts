import { createInterface } from 'node:readline';
import { Observable } from 'rxjs';

/** Asks a question on the terminal; emits whether the answer is yes. Unsubscribing takes the question back. */
export function ask({ stdin, stderr }: NodeJS.Process, question: string): Observable<boolean> {
  return new Observable((subscriber) => {
    // The terminal itself edits the line, so that Ctrl-C stays a signal.
    const prompt = createInterface({ input: stdin, output: stderr, terminal: false });
    subscriber.add(() => {
      prompt.close();
    });
    // The end of the input is no answer.
    prompt.once('close', () => {
      subscriber.next(false);
      subscriber.complete();
    });
    prompt.question(`${question} [y/N] `, (answer) => {
      subscriber.next(/^y(es)?$/i.test(answer.trim()));
      subscriber.complete();
    });
  });
}
