/** The form that a request is made of, with the line for curl that says the same. */
import type { ApiDocument, Operation, Parameter } from './api-document.ts';
import { limitsText, typeText } from './shape-view.ts';
import { addressOf, curlOf } from './curl.ts';
import type { WantedRequest } from './curl.ts';
import { codeBlock, copyButton, el } from './elements.ts';
import { exampleOf } from './examples.ts';
import { sendAndShow } from './send-and-show.ts';
import type { WhoAsks } from './who-asks.ts';

type Field = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

export function tryForm(operation: Operation, document: ApiDocument, who: WhoAsks): HTMLElement {
  const form = new TryForm(operation, document, who);
  return form.element;
}

class TryForm {
  readonly element: HTMLElement;
  readonly #operation: Operation;
  readonly #document: ApiDocument;
  readonly #fields = new Map<Parameter, Field>();
  readonly #curl = codeBlock('', 'The request for curl');
  #body: HTMLTextAreaElement | undefined;
  #file: HTMLInputElement | undefined;

  constructor(operation: Operation, document: ApiDocument, who: WhoAsks) {
    this.#operation = operation;
    this.#document = document;
    const { method, responses } = operation;
    const isSocket = '101' in responses;
    const answer = el('div', { class: 'answer', attributes: { 'aria-live': 'polite' } });
    const send = el('button', { class: SAFE.has(method) ? 'main' : 'main changes', text: 'Send' });
    const form = el('form', { class: 'try', attributes: { 'aria-label': 'Request' } },
      el('h4', { text: isSocket ? 'The request' : 'Try it' }),
      ...this.#fieldViews(),
      el('div', { class: 'curl' }, el('div', { class: 'line' }, el('h4', { text: 'curl' }),
        copyButton(() => this.#curl.textContent)), this.#curl),
      isSocket ? undefined : el('div', { class: 'send' }, send,
        SAFE.has(method) ? undefined
          : el('span', { class: 'warn', text: 'This is no exercise: it changes what is stored.' })),
      answer);
    form.addEventListener('input', () => this.#showCurl());
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      void sendAndShow({
        ...this.#request(), content: this.#content(), who, place: answer, button: send,
      });
    });
    this.element = form;
    this.#showCurl();
  }

  #fieldViews(): (HTMLElement | undefined)[] {
    const { parameters, body } = this.#operation;
    const headers = parameters.filter((one) => one.in === 'header');
    const others = parameters.filter((one) => one.in !== 'header');
    return [
      ...others.map((one) => this.#fieldView(one)),
      body?.kind === 'json' ? this.#jsonView(body.schema)
        : body?.kind === 'bytes' ? this.#fileView() : undefined,
      headers.length === 0 ? undefined : el('details', { class: 'deeper' },
        el('summary', { text: `Headers (${headers.length})` }),
        ...headers.map((one) => this.#fieldView(one))),
    ];
  }

  #idOf(name: string): string {
    return `${this.#operation.operationId}-${name}`;
  }

  #fieldView(parameter: Parameter): HTMLElement {
    const { name, schema, required, description } = parameter;
    const id = this.#idOf(name);
    const field = schema.enum !== undefined || schema.type === 'boolean'
      ? this.#choice(id, schema.enum ?? [true, false])
      : el('input', { attributes: { id, autocomplete: 'off', spellcheck: 'false' } });
    if (required) field.required = true;
    this.#fields.set(parameter, field);
    const limits = limitsText(schema, this.#document);
    const hint = [description, limits === '' ? undefined : `${limits}.`]
      .filter((one) => one !== undefined).join(' ');
    if (hint !== '') field.setAttribute('aria-describedby', `${id}-hint`);
    return el('div', { class: 'field' },
      el('label', { attributes: { for: id } }, el('code', { text: name }),
        el('span', { class: 'type', text: typeText(schema, this.#document) }),
        el('span', { class: 'optional', text: required ? `in the ${parameter.in}` : 'optional' })),
      field,
      hint === '' ? undefined
        : el('p', { class: 'hint', text: hint, attributes: { id: `${id}-hint` } }));
  }

  #choice(id: string, words: readonly unknown[]): HTMLSelectElement {
    const texts = ['', ...words.map(String)];
    return el('select', { attributes: { id } }, ...texts.map((text) =>
      el('option', { text: text === '' ? '(left out)' : text, attributes: { value: text } })));
  }

  #jsonView(schema: Parameters<typeof exampleOf>[0]): HTMLElement {
    const id = this.#idOf('body');
    const field = el('textarea', { attributes: { id, spellcheck: 'false', rows: '8' } });
    field.value = JSON.stringify(exampleOf(schema, this.#document, { isWhole: false }), null, 2);
    this.#body = field;
    return el('div', { class: 'field' },
      el('label', { attributes: { for: id } }, el('span', { class: 'word', text: 'Body' }),
        el('span', { class: 'type', text: 'JSON' })), field);
  }

  #fileView(): HTMLElement {
    const id = this.#idOf('file');
    this.#file = el('input', { attributes: { id, type: 'file' } });
    return el('div', { class: 'field' },
      el('label', { text: 'File whose content is sent', attributes: { for: id } }), this.#file);
  }

  #valuesIn(place: Parameter['in']): Map<string, string> {
    const found = [...this.#fields].filter(([parameter]) => parameter.in === place);
    return new Map(found.map(([{ name }, field]) => [name, field.value]));
  }

  #request(): WantedRequest {
    const { method, path, body, scope, responses } = this.#operation;
    const values = { path: this.#valuesIn('path'), query: this.#valuesIn('query') };
    const headers = [...this.#valuesIn('header')].filter(([, value]) => value !== '');
    if (body?.kind === 'json') headers.unshift(['Content-Type', 'application/json']);
    const mediaTypes = Object.keys(responses['200']?.content ?? {});
    const name = this.#file?.files?.[0]?.name ?? 'FILE';
    return {
      method, headers, url: `${location.origin}${addressOf(path, values)}`,
      body: this.#body !== undefined ? { text: this.#body.value }
        : body === undefined ? undefined : { fileName: name },
      isSignedIn: scope !== undefined, isStream: mediaTypes.includes('text/event-stream'),
    };
  }

  #content(): string | File | undefined {
    return this.#body?.value ?? this.#file?.files?.[0];
  }

  #showCurl(): void {
    const code = this.#curl.firstElementChild;
    if (code !== null) code.textContent = curlOf(this.#request());
  }
}
