/** Sends a request and shows the answer while it comes, up to a bound. */
import { codeBlock, el } from './elements.ts';
import type { WantedRequest } from './curl.ts';
import type { WhoAsks } from './who-asks.ts';

/** More of an answer is not shown. */
const SHOWN_CHARACTERS_MAX = 200_000;
/** Types that are text for people. */
const TEXT = /^(?:text\/|application\/(?:[a-z.+-]*\+)?(?:json|xml))/;

export interface Sending extends WantedRequest {
  readonly content: string | File | undefined;
  readonly who: WhoAsks;
  /** Where the answer is shown. */
  readonly place: HTMLElement;
  /** Is another one while the answer comes. */
  readonly button: HTMLButtonElement;
}

/** Never rejects: what went wrong is shown. A second press stops what the first has begun. */
export async function sendAndShow(sending: Sending): Promise<void> {
  const { place, button } = sending;
  const running = RUNNING.get(button);
  if (running !== undefined) {
    running.abort();
    return;
  }
  const abort = new AbortController();
  RUNNING.set(button, abort);
  button.textContent = 'Stop';
  place.replaceChildren(el('p', { class: 'soft', text: 'Sent, and waiting …' }));
  try {
    await receive(sending, abort);
  } catch (error) {
    const text = abort.signal.aborted ? 'Stopped.'
      : `No answer: ${error instanceof Error ? error.message : String(error)}`;
    place.append(el('p', { class: 'bad', text }));
  } finally {
    RUNNING.delete(button);
    button.textContent = 'Send';
  }
}

const RUNNING = new WeakMap<HTMLButtonElement, AbortController>();

async function receive(sending: Sending, abort: AbortController): Promise<void> {
  const { method, url, headers, content, who, place } = sending;
  const known = who.credentials();
  const begunMs = performance.now();
  const answer = await fetch(url, {
    method, headers: { ...Object.fromEntries(headers), ...known.headers }, cache: 'no-store',
    credentials: known.credentials, signal: abort.signal, redirect: 'error',
    ...(content !== undefined && { body: content }),
  });
  const tookMs = Math.round(performance.now() - begunMs);
  const mood = answer.ok ? 'good' : 'bad';
  const headerLines = [...answer.headers].map(([name, value]) => `${name}: ${value}`).join('\n');
  place.replaceChildren(
    el('p', { class: 'status' },
      el('strong', { class: mood, text: `${answer.status} ${answer.statusText}`.trim() }),
      el('span', { class: 'soft', text: `after ${tookMs} ms` })),
    el('details', { class: 'deeper' }, el('summary', { text: 'Headers of the answer' }),
      codeBlock(headerLines, 'Headers of the answer')),
  );
  await showBody(answer, place, abort);
}

async function showBody(
  answer: Response, place: HTMLElement, abort: AbortController,
): Promise<void> {
  const type = answer.headers.get('content-type') ?? '';
  if (answer.body === null || answer.status === 204 || answer.status === 304) return;
  if (!TEXT.test(type)) {
    abort.abort();
    const size = answer.headers.get('content-length');
    const text = `${size ?? 'Some'} bytes of ${type}, which are not shown here.`;
    place.append(el('p', { class: 'soft', text }));
    return;
  }
  const block = codeBlock('', 'The answer');
  const code = block.querySelector('code') ?? block;
  place.append(block);
  let text = '';
  const decoder = new TextDecoder();
  for await (const bytes of chunksOf(answer.body)) {
    text += decoder.decode(bytes, { stream: true });
    code.textContent = text;
    if (text.length > SHOWN_CHARACTERS_MAX) {
      code.textContent = `${text.slice(0, SHOWN_CHARACTERS_MAX)}\n… and more, not shown here.`;
      abort.abort();
      return;
    }
  }
  if (type.includes('json')) code.textContent = pretty(text);
}

async function* chunksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch (error) {
    if (error instanceof SyntaxError) return text; // HEAD, or a proxy's own words.
    throw error;
  }
}
