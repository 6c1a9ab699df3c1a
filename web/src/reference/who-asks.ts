/** Who the requests of this page are sent as: whoever is signed in here, or a token. The token
 *  stays in memory: it is gone when the page is left. */
import { el } from './elements.ts';

interface SessionAnswer {
  readonly user?: { readonly displayName?: string };
}

export class WhoAsks {
  #token = '';
  readonly #said = el('p', { class: 'soft', attributes: { role: 'status' } });

  get token(): string {
    return this.#token;
  }

  /** What a request brings along so that the server knows who asks. */
  credentials(): { headers: Record<string, string>; credentials: RequestCredentials } {
    if (this.#token === '') return { headers: {}, credentials: 'same-origin' };
    return { headers: { Authorization: `Bearer ${this.#token}` }, credentials: 'omit' };
  }

  view(): HTMLElement {
    const input = el('input', { attributes: {
      id: 'token', type: 'password', autocomplete: 'off', spellcheck: 'false', placeholder: 'hft_…',
    } });
    input.addEventListener('change', () => {
      this.#token = input.value.trim();
      void this.look();
    });
    return el('section', { class: 'who', attributes: { 'aria-labelledby': 'who-title' } },
      el('h2', { text: 'Trying it out', attributes: { id: 'who-title' } }),
      this.#said,
      el('div', { class: 'field' },
        el('label', { text: 'Token, in place of the session', attributes: { for: 'token' } }),
        input,
        el('p', { class: 'hint', text: 'Kept by this page alone, until it is left.' })));
  }

  async look(): Promise<void> {
    try {
      const { headers, credentials } = this.credentials();
      const answer = await fetch('/api/v1/session', { headers, credentials, cache: 'no-store' });
      if (answer.ok) {
        const { user } = await answer.json() as SessionAnswer;
        this.#say(`Requests are sent as ${user?.displayName ?? 'whoever is signed in'}.`);
      } else if (this.#token !== '') {
        this.#say(answer.status === 403 ? 'The token is good, for other things than files.'
          : 'The server does not know this token.');
      } else {
        this.#said.replaceChildren('Nobody is signed in here. ',
          el('a', { text: 'Sign in', attributes: { href: '/app/' } }), ', or use a token.');
      }
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // What fetch throws when nobody answers.
      this.#say('The server cannot be reached.');
    }
  }

  #say(text: string): void {
    this.#said.textContent = text;
  }
}
