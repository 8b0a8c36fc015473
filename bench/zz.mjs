import { createRunpod } from '../dist/index.js';
import { NEVER, of } from 'rxjs';
const N = Number(process.argv[2] ?? 20000);
let timers = 0;
// a scheduler that keeps actions but never runs those later than 0
class S { now() { return this.t ?? 0; } queue = []; schedule(work, delay = 0, state) { timers++; const self = this; const a = { closed: false, add() {}, unsubscribe() { this.closed = true; }, work, schedule(st, d = 0) { this.d = d; self.queue.push(this); return this; } }; 
 const { Subscription } = S; const s = new Subscription(); s.work = work; s.state = state; s.schedule = function (st, d=0) { this.state = st; this.d = d; if (d === 0) self.queue.push(this); return this; }; s.delay = delay; if (delay === 0) this.queue.push(s); else this.later = s; return s; } flush() { while (this.queue.length) { const a = this.queue.shift(); if (!a.closed) a.work.call(a, a.state); } } }
import { Subscription } from 'rxjs'; S.Subscription = Subscription;
const scheduler = new S();
let n = 0;
const transport = (r) => r.operation === 'run' ? of({ status: 200, headers: {}, text: `{"id":"job-${n++}","status":"IN_QUEUE"}` }) : of({ status: 200, headers: {}, text: `{"delayTime":1234,"id":"${r.url.split('/').pop()}","status":"IN_PROGRESS","workerId":"w"}` });
const c = createRunpod({ transport, apiKey: 'k', limits: false, scheduler });
const e = c.endpoint('demo');
const heap = () => { gc(); gc(); return process.memoryUsage().heapUsed; };
const kept = [], subs = [];
const what = process.argv[3] ?? 'job';
const a = heap();
if (what === 'job') for (let i = 0; i < N; i++) kept.push(e.job({ input: { i } }));
const b = heap();
if (what === 'job') for (const j of kept) subs.push(j.output$.subscribe());
if (what === 'watch') for (let i = 0; i < N; i++) subs.push(e.watch('job-' + i).subscribe());
if (what === 'run') for (let i = 0; i < N; i++) subs.push(e.runToEnd({ input: { i } }).subscribe());
scheduler.flush();
const d = heap();
console.log(what, 'made', ((b - a) / N) | 0, 'waiting between polls', ((d - b) / N) | 0, n, timers / N);
