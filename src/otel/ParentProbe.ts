import { INVALID_SPAN_CONTEXT, type Span, type SpanContext } from '@opentelemetry/api';

/**
 * Stands for a span as the parent of others, and notices when it becomes one: to make a child, a tracer asks for the context of
 * the parent's span. So it is known whether an instrumentation of HTTP, whichever it is, has made a span of a request.
 */
export class ParentProbe implements Span {
  /** Whether a tracer has asked. */
  isParent = false;
  readonly #span: Span | undefined;

  constructor(span: Span | undefined) {
    this.#span = span;
  }

  spanContext(): SpanContext {
    this.isParent = true;
    return this.#span?.spanContext() ?? INVALID_SPAN_CONTEXT;
  }

  isRecording(): boolean {
    return this.#span?.isRecording() ?? false;
  }

  setAttribute(...args: Parameters<Span['setAttribute']>): this {
    this.#span?.setAttribute(...args);
    return this;
  }

  setAttributes(...args: Parameters<Span['setAttributes']>): this {
    this.#span?.setAttributes(...args);
    return this;
  }

  addEvent(...args: Parameters<Span['addEvent']>): this {
    this.#span?.addEvent(...args);
    return this;
  }

  addLink(...args: Parameters<Span['addLink']>): this {
    this.#span?.addLink(...args);
    return this;
  }

  addLinks(...args: Parameters<Span['addLinks']>): this {
    this.#span?.addLinks(...args);
    return this;
  }

  setStatus(...args: Parameters<Span['setStatus']>): this {
    this.#span?.setStatus(...args);
    return this;
  }

  updateName(...args: Parameters<Span['updateName']>): this {
    this.#span?.updateName(...args);
    return this;
  }

  /** It is not the probe's to end. */
  end(): void {
    return;
  }

  recordException(...args: Parameters<Span['recordException']>): void {
    this.#span?.recordException(...args);
  }
}
