/** Making what the page shows. The page is small and shows what does not change: it needs no
 *  framework. Everything goes in as text, so nothing of the document can become markup. */

export interface ElementOptions {
  readonly class?: string;
  readonly text?: string;
  readonly attributes?: Readonly<Record<string, string>>;
}

type Child = Node | string | undefined;

export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K, options: ElementOptions = {}, ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (options.class !== undefined) made.className = options.class;
  if (options.text !== undefined) made.textContent = options.text;
  for (const [name, value] of Object.entries(options.attributes ?? {})) {
    made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

/** The document sets words of programs between grave accents. */
export function marked(text: string): Child[] {
  return text.split('`').map((part, at) => (at % 2 === 0 ? part : el('code', { text: part })));
}

/** Text in lines that can be scrolled by keys too. */
export function codeBlock(text: string, label: string): HTMLPreElement {
  return el('pre', {
    class: 'code', attributes: { tabindex: '0', role: 'region', 'aria-label': label },
  }, el('code', { text }));
}

/** Copies what `textNow` says, and says that it did. */
export function copyButton(textNow: () => string): HTMLButtonElement {
  const button = el('button', { class: 'quiet', text: 'Copy', attributes: { type: 'button' } });
  button.addEventListener('click', () => {
    navigator.clipboard.writeText(textNow()).then(
      () => { button.textContent = 'Copied'; },
      () => { button.textContent = 'Select it and copy it by hand'; },
    );
  });
  button.addEventListener('blur', () => { button.textContent = 'Copy'; });
  return button;
}

export function badge(method: string): HTMLElement {
  return el('span', { class: `method ${method.toLowerCase()}`, text: method });
}
