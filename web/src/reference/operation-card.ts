/** One operation: what it does, takes and answers, and a form to try it. */
import type { Answer, ApiDocument, Operation } from './api-document.ts';
import { badge, codeBlock, el, marked } from './elements.ts';
import { exampleOf } from './examples.ts';
import { membersView, typeText } from './shape-view.ts';
import { tryForm } from './try-form.ts';
import type { WhoAsks } from './who-asks.ts';

const PROBLEM = 'application/problem+json';

export interface Card {
  readonly element: HTMLDetailsElement;
  readonly operation: Operation;
  open(): void;
}

/** What is in it is made when it is first opened. */
export function operationCard(
  operation: Operation, document: ApiDocument, who: WhoAsks,
): Card {
  const { operationId, method, path, summary, deprecated } = operation;
  const place = path.replace(/^\/api\/v1/, '');
  const element = el('details', { class: 'operation', attributes: { id: operationId } },
    el('summary', {}, badge(method),
      el('h3', {}, el('code', { text: place })),
      el('span', { class: 'summary', text: summary }),
      deprecated === true ? el('span', { class: 'warn', text: 'deprecated' }) : undefined));
  let isMade = false;
  const make = (): void => {
    if (!isMade) element.append(bodyOf(operation, document, who));
    isMade = true;
  };
  element.addEventListener('toggle', () => {
    if (!element.open) return;
    make();
    history.replaceState(null, '', `#${operationId}`);
  });
  return {
    element, operation,
    open: () => {
      make();
      element.open = true;
      element.scrollIntoView();
      element.querySelector('summary')?.focus({ preventScroll: true });
    },
  };
}

function bodyOf(operation: Operation, document: ApiDocument, who: WhoAsks): HTMLElement {
  const { description, body, responses, operationId } = operation;
  const members = body?.kind === 'json' ? membersView(body.schema, document) : undefined;
  const entries = Object.entries(responses);
  const isRefusal = ([, one]: [string, Answer]): boolean => one.content?.[PROBLEM] !== undefined;
  return el('div', { class: 'inside' },
    el('div', { class: 'told' },
      description === undefined ? undefined : el('p', {}, ...marked(description)),
      el('p', { class: 'soft' }, scopeText(operation), ' In the client for TypeScript: ',
        el('code', { text: operationId }), '.'),
      members === undefined ? undefined : el('h4', { text: 'Body' }), members,
      el('h4', { text: 'Answer' }),
      ...entries.filter((one) => !isRefusal(one)).map(([status, answer]) =>
        answerView(status, answer, document)),
      el('details', { class: 'deeper' }, el('summary', { text: 'Refusals' }),
        el('ul', { class: 'refusals' }, ...entries.filter(isRefusal).map(([status, answer]) =>
          el('li', {}, el('code', { text: status }), ` ${answer.description}`))))),
    tryForm(operation, document, who));
}

function scopeText({ scope }: Operation): string {
  if (scope === undefined) return 'Open to everybody.';
  return scope === '' ? 'For whoever has signed in.' : `Scope of a token: ${scope}.`;
}

function answerView(status: string, answer: Answer, document: ApiDocument): HTMLElement {
  const { description, content = {} } = answer;
  const [type] = Object.keys(content);
  const schema = content['application/json']?.schema;
  const what = schema !== undefined ? typeText(schema, document) : type;
  return el('div', { class: 'one-answer' },
    el('p', {}, el('code', { class: 'good', text: status }), ` ${description} `,
      what === undefined ? undefined : el('span', { class: 'type', text: what })),
    schema === undefined ? undefined : shapeOf(schema, document));
}

function shapeOf(schema: Parameters<typeof exampleOf>[0], document: ApiDocument): HTMLElement {
  const details = el('details', { class: 'deeper' }, el('summary', { text: 'Shape and example' }));
  details.addEventListener('toggle', () => {
    const example = exampleOf(schema, document, { isWhole: true });
    details.append(membersView(schema, document) ?? '',
      codeBlock(JSON.stringify(example, null, 2), 'Example of an answer'));
  }, { once: true });
  return details;
}
