/** The reference of the API, at /api/docs: what /api/v1/openapi.json says, to read and to try. */
import './reference.css';
import { operationsOf } from './api-document.ts';
import type { ApiDocument } from './api-document.ts';
import { badge, codeBlock, el, marked } from './elements.ts';
import { operationCard } from './operation-card.ts';
import type { Card } from './operation-card.ts';
import { WhoAsks } from './who-asks.ts';

const DOCUMENT = '/api/v1/openapi.json';

/** The choice that was made for the page of the files. */
const SCHEME = 'mantine-color-scheme-value';

function takeColours(): void {
  const chosen = localStorage.getItem(SCHEME);
  if (chosen !== 'light' && chosen !== 'dark') return;
  document.documentElement.dataset['scheme'] = chosen;
}

async function show(place: HTMLElement): Promise<void> {
  const answer = await fetch(DOCUMENT);
  if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
  const api = await answer.json() as ApiDocument;
  const who = new WhoAsks();
  const cards = operationsOf(api).map((operation) => operationCard(operation, api, who));
  place.replaceChildren(
    el('a', { class: 'skip', text: 'Skip to the operations', attributes: { href: '#operations' } }),
    header(), sideOf(api, cards),
    el('main', { attributes: { id: 'operations' } }, introduction(api), who.view(),
      ...sectionsOf(api, cards)),
  );
  const goTo = (): void => {
    const id = decodeURIComponent(location.hash.slice(1));
    cards.find(({ operation }) => operation.operationId === id)?.open();
  };
  addEventListener('hashchange', goTo);
  goTo();
  await who.look();
}

function header(): HTMLElement {
  return el('header', { class: 'top' },
    el('a', { class: 'brand', attributes: { href: '/app/' } },
      el('img', { attributes: { src: '/app/holdfast.svg', alt: '', width: '28', height: '28' } }),
      'Holdfast'),
    el('span', { class: 'soft', text: 'API' }),
    el('a', { class: 'document', text: 'openapi.json', attributes: { href: DOCUMENT } }));
}

function introduction({ info }: ApiDocument): HTMLElement {
  const example = `curl '${location.origin}/api/v1/session' \\\n`
    + '  -H "Authorization: Bearer $HOLDFAST_TOKEN"';
  return el('section', { class: 'introduction' },
    el('h1', { text: 'The API' }),
    el('p', {}, ...marked(info.description)),
    el('ul', {},
      el('li', {}, 'Programs sign in with a token (', el('code', { text: 'Bearer hft_…' }),
        ') or, as devices do, with name and app password. Pages of this server use its cookie.'),
      el('li', { text: 'Lists come in pages: give nextCursor back as cursor to go on.' }),
      el('li', {}, 'Give an ', el('code', { text: 'etag' }), ' back in ',
        el('code', { text: 'If-Match' }), ': only what was seen is changed.')),
    codeBlock(example, 'A first request'));
}

function sectionsOf({ tags }: ApiDocument, cards: readonly Card[]): HTMLElement[] {
  return tags.map(({ name }) => el('section', { class: 'tag', attributes: { 'data-tag': name } },
    el('h2', { text: titleOf(name), attributes: { id: `tag-${name}` } }),
    ...cards.filter(({ operation }) => operation.tag === name).map(({ element }) => element)));
}

function titleOf(tag: string): string {
  return tag.slice(0, 1).toUpperCase() + tag.slice(1);
}

/** The list of all operations, and what narrows it and the page down. */
function sideOf({ tags }: ApiDocument, cards: readonly Card[]): HTMLElement {
  const filter = el('input', { attributes: {
    id: 'filter', type: 'search', autocomplete: 'off', placeholder: 'copy, /shares, DELETE …',
  } });
  const none = el('p', { class: 'soft', text: 'No operation has these words.' });
  none.hidden = true;
  const groups = tags.map(({ name }) => {
    const links = cards.filter(({ operation }) => operation.tag === name).map((card) => {
      const { method, operationId } = card.operation;
      const line = el('li', {}, el('a', { attributes: { href: `#${operationId}` } },
        badge(method), el('span', { text: operationId })));
      return { line, card };
    });
    const title = el('a', { text: titleOf(name), attributes: { href: `#tag-${name}` } });
    const group = el('div', {}, el('h2', {}, title), el('ul', {}, ...links.map((one) => one.line)));
    return { name, group, links };
  });
  filter.addEventListener('input', () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter((word) => word !== '');
    let count = 0;
    for (const { name, group, links } of groups) {
      const found = links.filter(({ line, card }) => {
        const fits = hasAll(card, words);
        line.hidden = !fits;
        card.element.hidden = !fits;
        return fits;
      });
      count += found.length;
      group.hidden = found.length === 0;
      const section = document.querySelector<HTMLElement>(`section[data-tag="${name}"]`);
      if (section !== null) section.hidden = group.hidden;
    }
    none.hidden = count > 0;
  });
  const list = el('details', { class: 'list' }, el('summary', { text: 'All operations' }),
    ...groups.map(({ group }) => group));
  list.open = matchMedia('(min-width: 900px)').matches;
  return el('nav', { class: 'side', attributes: { 'aria-label': 'Operations' } },
    el('div', { class: 'field' },
      el('label', { text: 'Find an operation', attributes: { for: 'filter' } }), filter),
    none, list);
}

function hasAll({ operation }: Card, words: readonly string[]): boolean {
  const { operationId, method, path, summary, tag } = operation;
  const text = `${operationId} ${method} ${path} ${summary} ${tag}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

const place = document.getElementById('reference');
if (place === null) throw new Error('The page has no place for the reference.');
takeColours();
place.append(el('p', { class: 'soft loading', text: 'Reading the document …' }));
show(place).catch((error: unknown) => {
  const reason = error instanceof Error ? error.message : String(error);
  place.replaceChildren(el('main', {}, el('h1', { text: 'The API' }),
    el('p', { class: 'bad', text: `It cannot be read: ${reason} Load the page again.` })));
});
